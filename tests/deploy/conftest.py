"""The scale topology, started anew for each test that may leave something in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.scale import Scale, scale


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[Scale]:
    """Three nodes to whom PgBouncer gives a single connection to each PostgreSQL."""
    with scale(tmp_path, workers=1, pool_size=1) as topology:
        yield topology


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scale]:
    """Everything as it is configured."""
    with scale(tmp_path_factory.mktemp("scale"), workers=1) as topology:
        yield topology
