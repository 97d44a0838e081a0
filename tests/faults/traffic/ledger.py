"""What was sent, what was answered, and what the clearing house therefore has to have."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

#: What a record is by now, by its key. The values only need to tell one version from another.
Entries = Mapping[str, Hashable]

#: What a record is that its sender withdrew.
GONE = "gone"


@dataclass(frozen=True)
class Upload:
    """One message, and what its sender's records are once it was taken."""

    partner: str
    operation: str
    content: str
    after: Entries
    #: The result that it is answered with: `partly` where it holds a record that is refused.
    result: str = "ok"
    #: It takes so long to arrive.
    seconds: float = 0


@dataclass
class Book:
    """The records of one sender, which only that sender changes, one message after the other."""

    name: str
    entries: Entries = field(default_factory=dict)
    #: Sent, and not answered: it may have been taken or not, but only as a whole.
    pending: Upload | None = None
    #: How many messages were answered, by partner and operation.
    answered: Counter[tuple[str, str]] = field(default_factory=Counter)

    def send(self, upload: Upload) -> None:
        """From now on nobody can tell what the records are, until an answer comes."""
        self.pending = upload

    def acknowledge(self) -> None:
        """It was answered that the message was taken: from now on nothing of it may be lost."""
        assert self.pending is not None
        self.entries = self.pending.after
        self.answered[self.pending.partner, self.pending.operation] += 1
        self.pending = None
