"""Imports point one way: cli, console, soap -> clearing -> rules, repository -> ochp."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import ochp_chs

PACKAGE = Path(ochp_chs.__file__).parent
CHECKOUT = Path(__file__).parents[2]

#: Which rooms a room may import from, itself apart. What lies beside the rooms (app.py, config.py)
#: is named by its module.
ALLOWED = {
    "ochp": set(),
    "rules": {"ochp"},
    "repository": {"ochp", "masking"},
    "clearing": {"ochp", "rules", "repository"},
    "metrics": {"ochp", "repository", "masking"},
    "soap": {"ochp", "clearing", "repository", "metrics", "config", "masking"},
    "console": {"ochp", "clearing", "repository", "config"},
    "serving": {"repository", "metrics", "config", "logs", "app"},
    "demo": {"ochp", "clearing", "repository"},
    "cli": {"demo", "ochp", "clearing", "repository", "serving", "config", "logs", "console"},
    "config": set(),
    "masking": set(),
    "logs": {"config", "masking"},
    "app": {
        *{"ochp", "repository", "clearing", "config", "console", "soap", "serving"},
        *{"metrics", "masking"},
    },
    "wsgi": {"app", "config", "logs"},
}
#: Libraries that one room alone may import.
ONLY_IN = {
    "spyne": {"soap"},
    "sqlalchemy": {"repository"},
    "psycopg2": {"repository"},
    "alembic": {"repository"},
    "gunicorn": {"serving"},
    "typer": {"cli"},
    "rich": {"cli"},
    "xlsxwriter": {"cli"},
    "flask": {"console"},
    "prometheus_client": {"metrics"},
    "argon2": {"clearing"},
    "cryptography": {"clearing"},
}
#: What would make the vocabulary of the protocol do I/O.
NOT_IN_OCHP = {"socket", "subprocess", "urllib.request", "http", "sqlite3", "os", "structlog"}


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that is imported, but not for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node)


def modules() -> list[tuple[str, Path]]:
    """Every module: its room, and its file."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        first = path.relative_to(PACKAGE).parts[0]
        found.append((first.removesuffix(".py"), path))
    return found


MODULES = [(room, path) for room, path in modules() if room not in ("__init__", "migrations")]


def imported_by(path: Path) -> set[str]:
    return set(imports(ast.parse(path.read_text(encoding="utf-8"))))


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize(("room", "path"), MODULES, ids=[named(path) for _, path in MODULES])
class TestRooms:
    def test_module_imports_only_rooms_that_its_room_may_know(self, room, path):
        known = {name.split(".")[1] for name in imported_by(path) if name.startswith("ochp_chs.")}

        assert known - {room, "__version__"} <= ALLOWED[room]

    def test_module_leaves_other_rooms_libraries_alone(self, room, path):
        libraries = {name.split(".")[0] for name in imported_by(path)}

        assert {name for name in libraries if room not in ONLY_IN.get(name, {room})} == set()


@pytest.mark.parametrize("path", [path for _, path in MODULES], ids=named)
class TestModules:
    def test_module_says_what_it_is_for(self, path):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    def test_module_is_short_enough_to_read(self, path):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_vocabulary_does_no_io():
    offenders = {
        named(path): found
        for room, path in MODULES
        if room == "ochp"
        and (
            found := {
                name
                for name in imported_by(path)
                if name.split(".")[0] in NOT_IN_OCHP or name in NOT_IN_OCHP
            }
        )
    }

    assert offenders == {}


def test_only_the_repository_writes_sql():
    starts = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "TRUNCATE ", "SET LOCAL")
    offenders = [
        f"{named(path)}:{node.lineno}"
        for room, path in MODULES
        if room != "repository"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.lstrip().startswith(starts)
    ]

    assert offenders == []


def test_relative_import_is_noticed():
    with pytest.raises(AssertionError, match="relative import"):
        list(imports(ast.parse("from . import tables")))


def test_import_inside_a_function_is_noticed():
    assert list(imports(ast.parse("def f():\n    from spyne import rpc"))) == ["spyne.rpc"]


def test_import_for_types_alone_is_not_counted():
    text = "if TYPE_CHECKING:\n    from spyne import rpc"

    assert list(imports(ast.parse(text))) == []


def test_every_room_is_ruled():
    assert {room for room, _ in MODULES} == set(ALLOWED)


def test_every_library_is_declared():
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        declared = " ".join(tomllib.load(file)["project"]["dependencies"]).lower()
    import_names = {"psycopg2": "psycopg2-binary", "argon2": "argon2-cffi"}
    used = {name.split(".")[0] for _, path in MODULES for name in imported_by(path)}
    outside = used - set(sys.stdlib_module_names) - {"ochp_chs"}

    missing = [
        name
        for name in outside
        if import_names.get(name, name).replace("_", "-").lower() not in declared
    ]
    assert missing == []
