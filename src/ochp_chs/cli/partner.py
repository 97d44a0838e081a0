"""``ochp-chs partner``: who may log in, in which roles, for which party IDs."""

from dataclasses import dataclass
from typing import Annotated

import typer

from ochp_chs.clearing import connections, partners
from ochp_chs.clearing.partners import SettingChanges
from ochp_chs.clearing.passwords import Passwords
from ochp_chs.cli.options import CommandError, DataDir
from ochp_chs.cli.output import AsJson, print_details, print_json, print_table, working_database
from ochp_chs.cli.passwords import FromStdin, Generate, take_password
from ochp_chs.ochp.reading import Reading
from ochp_chs.ochp.roles import Role
from ochp_chs.repository.connections import RoamingConnection
from ochp_chs.repository.partners import Partner

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The partner's name, its user name.")]
Roles = Annotated[
    list[Role], typer.Option("--role", help="A role; may be repeated.", case_sensitive=False)
]
PartyIds = Annotated[
    list[str],
    typer.Option(
        "--party-id",
        metavar="DE*ABC",
        help="A party ID, for all of the partner's roles but nsp, or for one of them as in"
        " cpo=DE*ABC; may be repeated.",
    ),
]
ReadingOption = Annotated[
    Reading | None,
    typer.Option(
        "--reading",
        help="Repair known small deviations in what the partner sends (tolerant), or none.",
        case_sensitive=False,
        show_default=False,
    ),
]
EmptySet = Annotated[
    bool | None,
    typer.Option(
        "--empty-set-withdraws/--empty-set-refused",
        help="A Set without records withdraws all that the partner has sent, or is refused.",
        show_default=False,
    ),
]
CdrsMax = Annotated[
    int | None,
    typer.Option(
        "--cdrs-per-answer-max",
        metavar="N",
        help="The largest number of CDRs in one answer; 0: no limit.",
        show_default=False,
    ),
]


@app.command()
def add(
    name: Name,
    role: Roles,
    party_id: PartyIds = [],  # noqa: B006 (typer copies it)
    reading: ReadingOption = None,
    empty_set_withdraws: EmptySet = None,
    cdrs_per_answer_max: CdrsMax = None,
    password_stdin: FromStdin = False,
    generate_password: Generate = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a partner. The password is asked for, read, or made up and printed once."""
    password, made_up = take_password(from_stdin=password_stdin, generate=generate_password)
    with working_database(data_dir) as database:
        partner = partners.add_partner(
            database,
            name,
            Passwords().hashed(password),
            roles=role,
            party_ids=party_id,
            settings=SettingChanges(reading, empty_set_withdraws, cdrs_per_answer_max),
        )
    text = f"is added {_standing(partner)}"
    _print_change(partner, text, as_json, password if made_up else None)


@app.command("list")
def list_(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List all partners."""
    with working_database(data_dir) as database:
        found = partners.list_partners(database)
    if as_json:
        print_json([_as_json(partner) for partner in found])
        return
    print_table(
        ["name", "roles", "party IDs", "reading", "log-in"],
        [
            [
                partner.name,
                _roles(partner),
                _party_ids(partner),
                partner.reading,
                "disabled" if partner.disabled else "enabled",
            ]
            for partner in found
        ],
        when_empty="There are no partners.",
    )


@app.command()
def show(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show a partner, its settings and its connections."""
    with working_database(data_dir) as database:
        partner = partners.get_partner(database, name)
        joined = [_Joined.of(name, c) for c in connections.list_connections(database, name)]
    if as_json:
        print_json(_as_json(partner) | {"connections": [each.as_json() for each in joined]})
        return
    print_details(
        {
            "name": partner.name,
            "roles": _roles(partner),
            "party IDs": _party_ids(partner) or "none",
            "log-in": f"disabled since {partner.disabled_at:%Y-%m-%d %H:%M:%SZ}"
            if partner.disabled_at
            else "enabled",
            "added": f"{partner.created_at:%Y-%m-%d %H:%M:%SZ}",
            **_settings(partner),
            "connected to": "\n".join(each.line() for each in joined) or "nobody",
        }
    )


@app.command("set")
def set_(
    name: Name,
    reading: ReadingOption = None,
    empty_set_withdraws: EmptySet = None,
    cdrs_per_answer_max: CdrsMax = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change a partner's settings; those that are not named stay."""
    changes = SettingChanges(reading, empty_set_withdraws, cdrs_per_answer_max)
    if changes == SettingChanges():
        raise CommandError("nothing to set: name a setting, see ochp-chs partner set --help")
    with working_database(data_dir) as database:
        partner = partners.change_settings(database, name, changes)
    settings = ", ".join(f"{name} {value}" for name, value in _settings(partner).items())
    _print_change(partner, f"is set to: {settings}", as_json)


@app.command()
def grant(
    name: Name,
    role: Roles = [],  # noqa: B006 (typer copies it)
    party_id: PartyIds = [],  # noqa: B006
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a partner more roles or party IDs."""
    if not role and not party_id:
        raise CommandError("nothing to grant: name a --role or a --party-id")
    with working_database(data_dir) as database:
        partner = partners.grant(database, name, roles=role, party_ids=party_id)
    _print_change(partner, f"is known now {_standing(partner)}", as_json)


@app.command()
def revoke(
    name: Name,
    role: Roles = [],  # noqa: B006 (typer copies it)
    party_id: PartyIds = [],  # noqa: B006
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take roles, with their party IDs, or single party IDs from a partner."""
    if not role and not party_id:
        raise CommandError("nothing to revoke: name a --role or a --party-id")
    with working_database(data_dir) as database:
        partner = partners.revoke(database, name, roles=role, party_ids=party_id)
    _print_change(partner, f"is known now {_standing(partner)}", as_json)


@app.command()
def disable(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """End a partner's log-in. What it has sent stays until its connections are ended."""
    with working_database(data_dir) as database:
        partner = partners.set_disabled(database, name, disabled=True)
    _print_change(partner, "is disabled", as_json)


@app.command()
def enable(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Let a disabled partner log in again."""
    with working_database(data_dir) as database:
        partner = partners.set_disabled(database, name, disabled=False)
    _print_change(partner, "is enabled", as_json)


@app.command()
def set_password(
    name: Name,
    password_stdin: FromStdin = False,
    generate_password: Generate = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Replace a partner's password. The old one is refused from now on."""
    with working_database(data_dir) as database:
        # Nobody should think of a password for a partner that is not there.
        partner = partners.get_partner(database, name)
        password, made_up = take_password(from_stdin=password_stdin, generate=generate_password)
        partners.set_password_hash(database, name, Passwords().hashed(password))
    _print_change(partner, "has a new password", as_json, password if made_up else None)


@dataclass(frozen=True, slots=True)
class _Joined:
    """One of a partner's connections, seen from its side."""

    partner: str
    connection: RoamingConnection

    @classmethod
    def of(cls, name: str, connection: RoamingConnection) -> "_Joined":
        other = connection.second if connection.first == name else connection.first
        return cls(other, connection)

    def line(self) -> str:
        carried = ", ".join(connections.carried(self.connection)) or "nothing"
        return f"{self.partner}: {carried}"

    def as_json(self) -> dict[str, object]:
        return {"partner": self.partner, "carries": list(connections.carried(self.connection))}


def _print_change(partner: Partner, text: str, as_json: bool, password: str | None = None) -> None:
    """Print what became of a partner, with its password if nobody knows that yet."""
    if as_json:
        print_json(_as_json(partner) | ({"password": password} if password else {}))
        return
    print(f"{partner.name} {text}")
    if password:
        print(f"password, shown only this once: {password}")


def _settings(partner: Partner) -> dict[str, str]:
    """Say the settings as people see them."""
    return {
        "reading": partner.reading,
        "a Set without records": "withdraws all" if partner.empty_set_withdraws else "is refused",
        "CDRs per answer": str(partner.cdrs_per_answer_max or "without limit"),
    }


def _standing(partner: Partner) -> str:
    """Say the roles and the party IDs."""
    return f"as {_roles(partner)} with party IDs: {_party_ids(partner) or 'none'}"


def _roles(partner: Partner) -> str:
    return ", ".join(role for role in Role if role in partner.roles)


def _party_ids(partner: Partner) -> str:
    """Each party ID once, with its roles only where it is not there for all that have IDs."""
    speaking = {role for role in partner.roles if role in partners.ROLES_WITH_PARTY_IDS}
    roles_of: dict[str, set[Role]] = {}
    shown: dict[str, str] = {}
    for party in partner.parties:
        roles_of.setdefault(party.party_id, set()).add(party.role)
        shown[party.party_id] = party.shown_as
    return ", ".join(
        shown[key]
        if roles == speaking
        else " ".join(f"{role}={shown[key]}" for role in Role if role in roles)
        for key, roles in roles_of.items()
    )


def _as_json(partner: Partner) -> dict[str, object]:
    return {
        "name": partner.name,
        "roles": [role.value for role in Role if role in partner.roles],
        "party_ids": {
            role.value: [party.shown_as for party in partner.parties if party.role is role]
            for role in partners.ROLES_WITH_PARTY_IDS
            if role in partner.roles
        },
        "reading": partner.reading.value,
        "empty_set_withdraws": partner.empty_set_withdraws,
        "cdrs_per_answer_max": partner.cdrs_per_answer_max,
        "disabled": partner.disabled,
        "disabled_at": partner.disabled_at and partner.disabled_at.isoformat(),
        "created_at": partner.created_at.isoformat(),
    }
