"""docs/limits.md names each limit, with the default that the code has."""

import re
from pathlib import Path

import pytest

from ochp_chs.config import variables

DOCUMENT = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
DEFAULTS = {name: default for name, default, _ in variables()}
ROWS = dict(re.findall(r"(?m)^\| `(OCHP_CHS_\w+)` \| `?(.*?)`? \|", DOCUMENT))

#: What a setting that is a limit has in its name.
LIMITS = [name for name in DEFAULTS if re.search(r"_MAX_|_MAX$|_MIN_|_TIMEOUT_S$", name)]


@pytest.mark.parametrize("name", LIMITS)
def test_limit_is_told(name: str) -> None:
    assert name in DOCUMENT


@pytest.mark.parametrize("name", ROWS)
def test_default_is_that_of_the_code(name: str) -> None:
    assert ROWS[name].strip() == DEFAULTS[name]


def test_every_setting_that_is_named_is_there() -> None:
    assert set(re.findall(r"OCHP_CHS_\w+", DOCUMENT)) <= set(DEFAULTS)
