"""What /metrics says, parsed."""

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


class Exposed:
    """All samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.types: dict[str, str] = {}
        self.samples: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(text):
            self.types[family.name] = family.type
            assert family.documentation, family.name
            for sample in family.samples:
                key = sample.name, frozenset(sample.labels.items())
                assert key not in self.samples, key
                self.samples[key] = sample.value

    @property
    def names(self) -> set[str]:
        """The names of the samples."""
        return {name for name, _ in self.samples}

    def value(self, name: str, **labels: str) -> float | None:
        """One sample's value, given all of its labels; None if there is none."""
        return self.samples.get((f"ochp_chs_{name}", frozenset(labels.items())))

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels, and maybe others."""
        return sum(
            value
            for (each, has), value in self.samples.items()
            if each == f"ochp_chs_{name}" and labels.items() <= has
        )

    def label_values(self, name: str, label: str) -> set[str]:
        """All values of a label."""
        return {
            value
            for each, labels in self.samples
            if each == f"ochp_chs_{name}"
            for key, value in labels
            if key == label
        }
