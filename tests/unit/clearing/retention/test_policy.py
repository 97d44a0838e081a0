"""How long what is kept."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ochp_chs.clearing.retention.policy import Policy
from ochp_chs.config import Settings
from ochp_chs.repository.outdated import CDRS, MESSAGES, TARIFFS

ARCHIVE = Path("/archive")
NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)


def test_settings_by_default() -> None:
    policy = Policy.of(Settings())
    assert policy.archive_dir is None
    assert policy.horizon(CDRS, NOW) is None
    assert policy.live_status_horizon(NOW) == NOW - timedelta(days=30)


def test_horizon_is_the_beginning_of_a_utc_day() -> None:
    policy = Policy(ARCHIVE, cdr_days=10, message_days=1)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-11)))
    for now in (NOW, elsewhere):
        assert policy.horizon(MESSAGES, now) == datetime(2026, 11, 20, tzinfo=UTC)
        assert policy.horizon(CDRS, now) == datetime(2026, 11, 11, tzinfo=UTC)


def test_tariffs_are_kept_as_long_as_the_cdrs_they_explain() -> None:
    policy = Policy(ARCHIVE, cdr_days=10)
    assert policy.horizon(TARIFFS, NOW) == policy.horizon(CDRS, NOW)


@pytest.mark.parametrize("policy", [Policy(ARCHIVE), Policy(None, 1, 1, 0)])
def test_for_ever(policy: Policy) -> None:
    assert [policy.horizon(kind, NOW) for kind in (CDRS, MESSAGES, TARIFFS)] == [None] * 3
    assert policy.live_status_horizon(NOW) is None
