"""The README's tables say what the code does, and lead to what is there."""

import re
from pathlib import Path

import pytest
from typer.main import get_group

from ochp_chs.cli.main import app
from ochp_chs.config import variables
from ochp_chs.demo.partners import PARTNERS, password_of
from ochp_chs.ochp.operations import BY_NAME, OPERATIONS, Endpoint, Operation
from ochp_chs.soap.services.registry import BUILT

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md", *(CHECKOUT / "docs").glob("*.md")]


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


OPERATION_ROWS = {row[0].strip("`"): row for row in table("Operations")}


def test_settings_are_those_of_the_code() -> None:
    expected = [
        [f"`{name}`", default and f"`{default}`", text] for name, default, text in variables()
    ]
    assert table("Settings") == expected


def test_all_operations_are_listed() -> None:
    assert set(OPERATION_ROWS) == set(BY_NAME)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
class TestOperations:
    def test_roles_are_those_of_the_code(self, operation: Operation) -> None:
        roles = {role.strip().lower() for role in OPERATION_ROWS[operation.name][1].split(",")}
        assert roles == set(operation.roles)

    def test_tests_are_linked_where_the_operation_is_built(self, operation: Operation) -> None:
        built = {name for service in BUILT for name in service.public_methods}
        cell = OPERATION_ROWS[operation.name][3]
        if operation.name not in built:
            assert cell == "not built yet"
            return
        (target,) = re.findall(r"\]\((tests/[\w/.]+)\)", cell)
        text = (CHECKOUT / target).read_text(encoding="utf-8")
        support = (CHECKOUT / "tests/support").glob("*.py")
        named = [text, *(path.read_text(encoding="utf-8") for path in support)]
        assert any(f'"{operation.name}"' in each for each in named)


def test_demo_partners_are_those_of_the_code() -> None:
    shown = {row[0].strip("`"): row for row in table("Two commands")}
    for partner in PARTNERS:
        _, password, roles, party_ids, connected_to = shown.pop(partner.name)
        neighbours = {
            *partner.connected_to,
            *(each.name for each in PARTNERS if partner.name in each.connected_to),
        }
        assert password == f"`{password_of(partner.name)}`"
        assert roles == ", ".join(partner.roles)
        assert party_ids == ", ".join(text.rpartition("=")[2] for text in partner.party_ids)
        assert set(connected_to.split(", ")) == (neighbours or {"nobody"})
    assert shown == {}


def test_endpoints_are_those_of_the_code() -> None:
    paths = {row[0].strip("`") for row in table("Endpoints")}
    assert paths == {*map(str, Endpoint), "/healthz", "/readyz", "/metrics", "/"}


def test_commands_are_those_of_the_code() -> None:
    commands = set()
    for name, command in get_group(app).commands.items():
        names = getattr(command, "commands", {None: command})
        commands |= {f"{name} {sub}" if sub else name for sub in names}
    section = README.split("\n## Command line\n", 1)[1].split("```")[1]
    listed = re.findall(r"^ochp-chs ([a-z-]+(?: [a-z-]+)?)(?= )", section, flags=re.MULTILINE)
    assert sorted(listed) == sorted(commands)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_are_there(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert [each for each in targets if not (document.parent / each).exists()] == []
