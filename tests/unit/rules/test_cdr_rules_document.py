"""docs/cdr-rules.md says what the registry does: every rule, severity, parameter and bound."""

import inspect
import re
from pathlib import Path

import pytest

from ochp_chs.ochp.records import problems
from ochp_chs.rules.model import Rule
from ochp_chs.rules.registry import RULES

DOCUMENT = Path(__file__).parents[3] / "docs" / "cdr-rules.md"

_PARAMETER = re.compile(
    r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE
)


def sections() -> dict[str, str]:
    """The text below each heading of a rule, by the rule's id, in the document's order."""
    text = DOCUMENT.read_text(encoding="utf-8")
    text = text[text.index("## The rules") : text.index("## How a tariff is applied")]
    parts = re.split(r"^### ([a-z0-9-]+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def one_line(text: str) -> str:
    return " ".join(text.split())


def promise_of(rule: Rule) -> str:
    """The first paragraph of the rule's docstring: what must hold."""
    return one_line((inspect.getdoc(rule.check) or "").split("\n\n", maxsplit=1)[0])


def test_every_rule_in_the_order_in_which_they_run() -> None:
    assert list(sections()) == [rule.id for rule in RULES]


def test_table_of_contents() -> None:
    rows = re.findall(
        r"^\| \[`([a-z0-9-]+)`\]\(#([a-z0-9-]+)\) \| (\w+) \| (.+) \|$",
        DOCUMENT.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert rows == [(rule.id, rule.id, rule.severity.value, promise_of(rule)) for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
class TestSection:
    def test_says_what_must_hold(self, rule: Rule) -> None:
        assert one_line(sections()[rule.id]).startswith(promise_of(rule))

    def test_says_the_section_and_the_readings_of_the_docstring(self, rule: Rule) -> None:
        docstring = inspect.getdoc(rule.check) or ""
        (section,) = re.findall(
            r"^- Section: (.+?)(?=\n- )", sections()[rule.id], re.MULTILINE | re.DOTALL
        )
        assert one_line(section) == one_line(docstring.split("\n\n", maxsplit=1)[1])

    def test_severity(self, rule: Rule) -> None:
        assert f"\n- Default: `{rule.severity.value}`\n" in sections()[rule.id]

    def test_parameters(self, rule: Rule) -> None:
        assert _PARAMETER.findall(sections()[rule.id]) == [
            (p.name, str(p.default), p.unit, str(p.minimum), str(p.maximum), p.description)
            for p in rule.parameters
        ]

    def test_has_an_example_that_fails_it(self, rule: Rule) -> None:
        assert re.search(r"^- Fails: \S.{20,}", sections()[rule.id], re.MULTILINE)


def test_what_is_refused_when_it_is_read() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    text = text[: text.index("## The rules")]
    rules = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert rules == [problems.TIME_RULE, problems.NUMBER_RULE, problems.DURATION_RULE]
