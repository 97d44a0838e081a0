"""TariffInfo: what an operator charges whom (specification, "Types for Tariff Data Exchange")."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lxml import etree

from ochp_chs.ochp.identifiers import party_of, tariff_key
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.billing import BILLING_ITEMS, BillingItem
from ochp_chs.ochp.records.decimals import ZERO
from ochp_chs.ochp.records.hours import Hours, read_hours
from ochp_chs.ochp.records.problems import NUMBER_RULE, Problems
from ochp_chs.ochp.violations import Violation

_IN = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class Restriction:
    """When a tariff element applies; None where it is not restricted.

    Moments in UTC, energy in kWh, power in kW, durations in seconds; `hours` empty: always.
    """

    hours: tuple[Hours, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    min_energy: Decimal | None = None
    max_energy: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_duration_s: int | None = None
    max_duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class TariffElement:
    """A price per unit of one billing item, billed in whole steps; step 0: as consumed."""

    item: BillingItem
    price: Decimal
    step: Decimal
    restriction: Restriction = Restriction()


@dataclass(frozen=True, slots=True)
class IndividualTariff:
    """The elements for these recipients (provider IDs as sent); without any: the default."""

    currency: str
    elements: tuple[TariffElement, ...]
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TariffInfo:
    """One tariff of an operator: its ID as sent, the key it is compared by, and whose it is."""

    tariff_id: str
    tariff_key: str
    operator: str
    individual: tuple[IndividualTariff, ...]


def decode(record: etree._Element) -> TariffInfo | list[Violation]:
    """Read one record, or say everything in it that has no meaning. Raises nothing.

    The record is valid against the XSD type TariffInfo and was parsed without comments and
    processing instructions.
    """
    problems = Problems()
    tariff_id = record[0].text or ""
    individual = tuple(
        decode_individual(child, problems, f"individualTariff[{position}]")
        for position, child in enumerate(list(record)[1:], 1)
    )
    return problems.found or TariffInfo(
        tariff_id, tariff_key(tariff_id), party_of(tariff_id), individual
    )


def decode_individual(
    element: etree._Element, problems: Problems, field: str = "individualTariff"
) -> IndividualTariff:
    """Read one IndividualTariffType; what has no meaning is noted in `problems`."""
    elements: list[TariffElement] = []
    recipients: list[str] = []
    for child in list(element)[:-1]:
        if child.tag == f"{_IN}tariffElement":
            path = f"{field}/tariffElement[{len(elements) + 1}]"
            elements.append(_element(child, problems, path))
        else:
            recipients.append(child.text or "")
    return IndividualTariff((element[-1].text or "").strip(), tuple(elements), tuple(recipients))


def _element(element: etree._Element, problems: Problems, field: str) -> TariffElement:
    item, price, step = element[0]
    price_value = problems.decimal((price.text or "").strip(), f"{field}/itemPrice")
    step_value = problems.decimal((step.text or "").strip(), f"{field}/stepSize")
    if step_value < ZERO:
        problems.note(
            NUMBER_RULE,
            f"{field}/stepSize",
            step.text or "",
            "a step is 0 (as consumed) or more",
        )
    return TariffElement(
        BILLING_ITEMS[item[0].text or ""],
        price_value,
        step_value,
        _restriction(element[1], problems, f"{field}/tariffRestriction"),
    )


def _restriction(element: etree._Element, problems: Problems, field: str) -> Restriction:
    hours: list[Hours] = []
    moments: dict[str, datetime] = {}
    amounts: dict[str, Decimal] = {}
    seconds: dict[str, int] = {}
    for child in element:
        name = str(child.tag)[len(_IN) :]
        path = f"{field}/{name}"
        if name == "regularHours":
            window = read_hours(child, problems, path)
            if window is not None:
                hours.append(window)
        elif name.endswith("DateTime"):
            moments[name] = problems.date_time(child, path)
        elif name.endswith("Duration"):
            seconds[name] = problems.integer(child.text or "", path)
        else:
            amounts[name] = problems.decimal((child.text or "").strip(), path)
    return Restriction(
        tuple(hours),
        moments.get("startDateTime"),
        moments.get("endDateTime"),
        amounts.get("minEnergy"),
        amounts.get("maxEnergy"),
        amounts.get("minPower"),
        amounts.get("maxPower"),
        seconds.get("minDuration"),
        seconds.get("maxDuration"),
    )
