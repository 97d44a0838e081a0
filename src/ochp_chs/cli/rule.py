"""``ochp-chs rule``: how strict the plausibility rules for CDRs are."""

from collections.abc import Sequence
from typing import Annotated

import typer

from ochp_chs.clearing.cdrs import tuning
from ochp_chs.clearing.cdrs.tuning import TunedParameter, TunedRule
from ochp_chs.cli.options import CommandError, DataDir
from ochp_chs.cli.output import AsJson, print_json, print_table, working_database
from ochp_chs.ochp.violations import Severity

app = typer.Typer(no_args_is_help=True)

Pair = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--connection",
        metavar="A B",
        help="On the roaming connection of these two partners, not for everybody.",
        show_default=False,
    ),
]
RuleId = Annotated[str, typer.Argument(metavar="RULE", help="As ochp-chs rule list names it.")]


@app.command("list")
def list_(connection: Pair = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List all rules as they hold; what differs from the default is marked with its scope."""
    with working_database(data_dir) as database:
        found = tuning.list_rules(database, connection)
    if as_json:
        print_json([_as_json(rule) for rule in found])
        return
    _print(found)


@app.command("set")
def set_(
    rule: RuleId,
    severity: Annotated[
        Severity | None,
        typer.Option(help="Refuse the CDR, only say so, or switch it off.", show_default=False),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A number; may be repeated.", show_default=False),
    ] = None,
    connection: Pair = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set a rule's severity and parameters, from the next message on; the others stay."""
    if severity is None and not parameter:
        raise CommandError("nothing to set: name a --severity, a --parameter, or both")
    parameters = dict(_pair(text) for text in parameter or ())
    with working_database(data_dir) as database:
        changed = tuning.set_rule(
            database, rule, None if severity is None else severity.value, parameters, connection
        )
    if as_json:
        print_json(_as_json(changed))
    else:
        _print([changed])


@app.command()
def reset(
    rule: Annotated[
        str | None,
        typer.Argument(metavar="[RULE]", help="Without it, all rules.", show_default=False),
    ] = None,
    connection: Pair = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Forget what was set, for everybody or on a connection: what is above it holds again."""
    with working_database(data_dir) as database:
        count = tuning.reset_rules(database, rule, connection)
    if as_json:
        print_json({"reset": count})
    else:
        print(f"{count} rules were reset." if count else "Nothing was set there.")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value.strip()


def _print(rules: Sequence[TunedRule]) -> None:
    print_table(
        ["rule", "severity", "parameters", "set for"],
        [
            [
                rule.rule,
                _beside_default(rule.severity, rule.default_severity),
                "\n".join(map(_parameter, rule.parameters)),
                ", ".join(rule.set_for),
            ]
            for rule in rules
        ],
        when_empty="There are no rules.",
    )


def _parameter(parameter: TunedParameter) -> str:
    value = _beside_default(str(parameter.value), str(parameter.default))
    return f"{parameter.name}={value} {parameter.unit}"


def _beside_default(text: str, default: str) -> str:
    return text if text == default else f"{text} (default {default})"


def _as_json(rule: TunedRule) -> dict[str, object]:
    return {
        "rule": rule.rule,
        "severity": rule.severity.value,
        "default_severity": rule.default_severity.value,
        # As texts, so that a decimal stays what it is.
        "parameters": {
            parameter.name: {
                "value": str(parameter.value),
                "default": str(parameter.default),
                "unit": parameter.unit,
                "description": parameter.description,
            }
            for parameter in rule.parameters
        },
        "set_for": list(rule.set_for),
    }
