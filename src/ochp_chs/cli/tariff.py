"""``ochp-chs tariff``: which tariffs are given out, to whom, and taking one back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer

from ochp_chs.clearing import tariff_admin
from ochp_chs.cli.options import DataDir
from ochp_chs.cli.output import AsJson, print_json, print_table, working_database
from ochp_chs.ochp.records.tariff import Restriction, TariffElement
from ochp_chs.repository.tariff_history import GivenToRecipient, Listed

app = typer.Typer(no_args_is_help=True)

TariffId = Annotated[
    str, typer.Argument(metavar="TARIFF-ID", help="The tariff, with or without separators.")
]

_EVERYBODY_ELSE = "everybody else"


@app.command("list")
def list_(
    partner: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this partner's tariffs.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the tariffs that are given out."""
    with working_database(data_dir) as database:
        found = tariff_admin.list_tariffs(database, partner)
    if as_json:
        print_json([_listed_as_json(tariff) for tariff in found])
        return
    print_table(
        ["tariff", "operator", "given to", "changed"],
        [
            [
                tariff.tariff_id,
                tariff.operator,
                ", ".join([*tariff.recipients, *([_EVERYBODY_ELSE] if tariff.has_default else [])]),
                _time(tariff.changed_at),
            ]
            for tariff in found
        ],
        when_empty="There are no tariffs.",
    )


@app.command()
def show(
    tariff_id: TariffId,
    history: Annotated[
        bool, typer.Option("--history", help="Also show what was given before.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what each recipient is given of a tariff."""
    with working_database(data_dir) as database:
        found = tariff_admin.show_tariff(database, tariff_id, ended=history)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    print_table(
        ["tariff", "given to", "item", "price", "step", "when", "from", "until"],
        [row for each in found for row in _rows(each)],
        when_empty="",
    )


@app.command()
def remove(tariff_id: TariffId, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Give a tariff out no more; who saw it learns in its next delta that it has ended."""
    at = datetime.now(UTC)
    with working_database(data_dir) as database:
        tariff_admin.remove_tariff(database, tariff_id, at)
    if as_json:
        print_json({"tariff": tariff_id, "ended_at": at.isoformat()})
    else:
        print(f"{tariff_id} is given to nobody any more")


def _rows(each: GivenToRecipient) -> Iterator[list[str]]:
    given = each.given
    for element in given.tariff.elements:
        yield [
            each.tariff_id,
            each.recipient or _EVERYBODY_ELSE,
            element.item,
            f"{element.price} {given.tariff.currency}",
            f"{element.step}",
            ", ".join(_conditions(element.restriction)) or "always",
            _time(given.given_from),
            _time(given.given_until),
        ]


def _conditions(restriction: Restriction) -> Iterator[str]:
    if restriction.hours:
        yield " ".join(_hours(restriction))
    yield from _limits("", _time(restriction.start), _time(restriction.end))
    yield from _limits(" kWh", _number(restriction.min_energy), _number(restriction.max_energy))
    yield from _limits(" kW", _number(restriction.min_power), _number(restriction.max_power))
    yield from _limits(
        " s", _number(restriction.min_duration_s), _number(restriction.max_duration_s)
    )


def _hours(restriction: Restriction) -> Iterator[str]:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    for window in restriction.hours:
        day = days[window.weekday - 1] if 0 < window.weekday <= len(days) else str(window.weekday)
        yield f"{day} {_minute(window.begin_minute)}-{_minute(window.end_minute)}"


def _limits(unit: str, start: str, end: str) -> Iterator[str]:
    if start:
        yield f"from {start}{unit}"
    if end:
        yield f"until {end}{unit}"


def _listed_as_json(tariff: Listed) -> dict[str, object]:
    return {
        "tariff": tariff.tariff_id,
        "operator": tariff.operator,
        "recipients": list(tariff.recipients),
        "default": tariff.has_default,
        "changed_at": tariff.changed_at.isoformat(),
    }


def _as_json(each: GivenToRecipient) -> dict[str, object]:
    given = each.given
    return {
        "tariff": each.tariff_id,
        "recipient": each.recipient,
        "given_from": given.given_from.isoformat(),
        "given_until": given.given_until.isoformat() if given.given_until else None,
        "currency": given.tariff.currency,
        "elements": [_element_as_json(element) for element in given.tariff.elements],
    }


def _element_as_json(element: TariffElement) -> dict[str, object]:
    # Amounts as text, so that a decimal stays what it is.
    return {
        "item": element.item.value,
        "price": str(element.price),
        "step": str(element.step),
        "conditions": list(_conditions(element.restriction)),
    }


def _minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _number(value: Decimal | int | None) -> str:
    return "" if value is None else str(value)


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%SZ}"
