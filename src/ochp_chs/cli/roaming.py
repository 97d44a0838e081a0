"""``ochp-chs roaming``: who is connected to whom, and what flows between them."""

from collections.abc import Iterable
from typing import Annotated

import typer

from ochp_chs.clearing import connections
from ochp_chs.cli.options import CommandError, DataDir
from ochp_chs.cli.output import AsJson, print_json, print_table, working_database
from ochp_chs.ochp.roles import Carries
from ochp_chs.repository.connections import Change, RoamingConnection

app = typer.Typer(no_args_is_help=True)

One = Annotated[str, typer.Argument(metavar="A", help="A partner's name.")]
Other = Annotated[str, typer.Argument(metavar="B", help="Another partner's name.")]

_KINDS = ", ".join(Carries)
_KNOWN = frozenset(kind.value for kind in Carries)


@app.command()
def connect(
    one: One,
    other: Other,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND,KIND",
            help=f"Let only this flow: {_KINDS}. Without it, all that the roles allow.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Connect two partners, or set anew what their connection is limited to."""
    with working_database(data_dir) as database:
        change = connections.connect(database, one, other, _limits(only))
        connection = connections.get_connection(database, one, other)
    if as_json:
        print_json(_as_json(connection) | {"change": change.value})
        return
    print(f"{one} and {other} {_TOLD[change]}: {_listed(connections.carried(connection))}")


@app.command()
def disconnect(one: One, other: Other, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """End a connection; what it carried is no longer handed out."""
    with working_database(data_dir) as database:
        connections.disconnect(database, one, other)
    if as_json:
        print_json({"partners": sorted([one, other]), "change": "disconnected"})
    else:
        print(f"{one} and {other} are no longer connected")


@app.command("list")
def list_(
    partner: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this partner's connections.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the connections and what flows over each."""
    with working_database(data_dir) as database:
        found = connections.list_connections(database, partner)
    if as_json:
        print_json([_as_json(connection) for connection in found])
        return
    print_table(
        ["partner", "partner", "what flows", "limited", "since"],
        [
            [
                connection.first,
                connection.second,
                _listed(connections.carried(connection)),
                "no" if connection.carries is None else "yes",
                f"{connection.connected_at:%Y-%m-%d %H:%M:%SZ}",
            ]
            for connection in found
        ],
        when_empty="There are no connections.",
    )


_TOLD = {
    Change.CONNECTED: "are connected",
    Change.CHANGED: "are connected as of now",
    Change.UNCHANGED: "were connected already",
}


def _limits(only: list[str] | None) -> frozenset[Carries] | None:
    """Read `--only tokens,cdrs`, which may be repeated."""
    if only is None:
        return None
    words = [word.strip().lower() for text in only for word in text.split(",")]
    for word in words:
        if word not in _KNOWN:
            raise CommandError(f"{word!r} cannot flow over a connection; what can is {_KINDS}")
    return frozenset(map(Carries, words))


def _listed(kinds: Iterable[Carries]) -> str:
    return ", ".join(kinds) or "nothing"


def _as_json(connection: RoamingConnection) -> dict[str, object]:
    limits = connection.carries
    return {
        "partners": [connection.first, connection.second],
        "carries": list(connections.carried(connection)),
        "only": None if limits is None else [kind for kind in Carries if kind in limits],
        "connected_at": connection.connected_at.isoformat(),
    }
