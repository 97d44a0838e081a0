"""What the chapters of the round trip are made of: a call, and what it shows."""

from dataclasses import dataclass
from datetime import datetime

from ochp_chs.demo import client
from ochp_chs.demo.client import Post, Reply
from ochp_chs.demo.partners import DemoPartner, password_of
from ochp_chs.ochp.times import format_date_time


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the round trip as it is told."""

    who: str
    operation: str
    result: str
    #: One sentence; if the step went otherwise than expected, what the server said instead.
    shows: str
    as_expected: bool


@dataclass(frozen=True, slots=True)
class Trip:
    """One playing of the round trip."""

    post: Post
    #: When it began.
    now: datetime

    def call(self, who: DemoPartner, operation: str, content: str = "") -> Reply:
        """Let a demo partner call an operation; `content` stands in the request element."""
        return client.call(self.post, who.name, password_of(who.name), operation, content)


def told(reply: Reply, shows: str, *, expected: str = "ok", holds: bool = True) -> Step:
    """The step that a reply makes: as expected if it has this result and what is shown `holds`."""
    as_expected = reply.result == expected and holds
    if not as_expected:
        shows = f"Expected {expected!r}: {shows.rstrip('.')}. The answer was: {reply.description}"
    return Step(reply.who, reply.operation, reply.result, shows, as_expected)


def moment_xml(element: str, moment: datetime) -> str:
    """An element of DateTimeType."""
    return f"<{element}><DateTime>{format_date_time(moment)}</DateTime></{element}>"
