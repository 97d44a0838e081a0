"""The campaign: short by default, in full with OCHP_CHS_TEST_FAULTS=full; its table at the end."""

import os
import random
from pathlib import Path

import pytest

from tests.faults.campaign import Row, table

IS_FULL = os.environ.get("OCHP_CHS_TEST_FAULTS") == "full"

#: These take root and a C compiler.
collect_ignore = [] if IS_FULL else ["test_machine.py"]

_ROWS = pytest.StashKey[dict[str, Row]]()
_SEED = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing happened yet."""
    config.stash[_ROWS] = {}
    given = os.environ.get("OCHP_CHS_TEST_FAULTS_SEED")
    config.stash[_SEED] = int(given or random.randrange(1_000_000))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table."""
    config = terminalreporter.config
    if config.stash[_ROWS]:
        terminalreporter.section(f"faults (OCHP_CHS_TEST_FAULTS_SEED={config.stash[_SEED]})")
        terminalreporter.write_line(table(list(config.stash[_ROWS].values())))


@pytest.fixture(scope="session")
def is_full() -> bool:
    """Whether every fault comes as often as it should, and not as often as there is time for."""
    return IS_FULL


@pytest.fixture(scope="session")
def rows(pytestconfig: pytest.Config) -> dict[str, Row]:
    """What became of each fault so far."""
    return pytestconfig.stash[_ROWS]


@pytest.fixture
def dice(pytestconfig: pytest.Config) -> random.Random:
    """What decides; the same for the same seed, as far as the machine allows."""
    return random.Random(pytestconfig.stash[_SEED])


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for a site."""
    return tmp_path_factory.mktemp("site")
