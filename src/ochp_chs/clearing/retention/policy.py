"""How long what is kept, and where it goes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from ochp_chs.repository.outdated import CDRS, MESSAGES, TARIFFS, Kind

#: The kinds that are archived, in this order.
KINDS = (CDRS, MESSAGES, TARIFFS)


class RetentionSettings(Protocol):
    """The settings that this is about; see config.py."""

    @property
    def archive_dir(self) -> Path | None:
        """Where archive files go."""

    @property
    def cdr_retention_days(self) -> int:
        """How long final CDRs stay."""

    @property
    def message_retention_days(self) -> int:
        """How long the message log stays."""

    @property
    def live_status_retention_days(self) -> int:
        """How long ended live states stay."""

    @property
    def retention_interval_s(self) -> int:
        """How often a run is due."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of retention; of days, 0 is for ever."""

    #: None: nothing is archived, and nothing that would have to be is erased.
    archive_dir: Path | None = None
    cdr_days: int = 0
    message_days: int = 0
    live_status_days: int = 0
    #: How often a run is due.
    interval_s: int = 3600

    @classmethod
    def of(cls, settings: RetentionSettings) -> "Policy":
        """The settings' policy."""
        return cls(
            archive_dir=settings.archive_dir,
            cdr_days=settings.cdr_retention_days,
            message_days=settings.message_retention_days,
            live_status_days=settings.live_status_retention_days,
            interval_s=settings.retention_interval_s,
        )

    def days_of(self, kind: Kind) -> int:
        """How long the kind is kept; tariffs are the evidence for the prices of CDRs."""
        return self.message_days if kind is MESSAGES else self.cdr_days

    def horizon(self, kind: Kind, now: datetime) -> datetime | None:
        """What is before this is old; the beginning of a UTC day. None: nothing ever is."""
        days = self.days_of(kind)
        if not days or self.archive_dir is None:
            return None
        return _midnight(now) - timedelta(days=days)

    def live_status_horizon(self, now: datetime) -> datetime | None:
        """Live states that ended before this are not kept; None: all are."""
        return now - timedelta(days=self.live_status_days) if self.live_status_days else None


def _midnight(now: datetime) -> datetime:
    # Whole days only: or each run would begin a file of its own for the same day.
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
