"""Token lists: up for the first time, up again with little changed, and down."""

from pathlib import Path

from benchmarks import client, limits, messages
from benchmarks.figure import Figure, Point, seconds
from benchmarks.rig import Rig
from tests.acceptance.harness import message

_XMLLINT = "xmllint --stream --schema"
_PAYLOADS = "SELECT payload FROM token WHERE provider = 'DEEMP' AND withdrawn_at IS NULL"
_WITHOUT_XMLLINT = "no xmllint here: apt-get install libxml2-utils"


def measure_set(rig: Rig) -> None:
    """A Set of tokens that are all new, against parsing and validating the same file."""
    count = rig.sizes.tokens
    content = messages.whole(messages.SET, messages.tokens(count))
    document = messages.bare_file(rig.folder / "set.xml", content)
    rates, linted = [], []
    for _ in range(rig.sizes.runs):
        rig.forget_tokens()
        linted += _linted(rig, document, count)
        with rig.memory():
            rates.append(count / seconds(client.upload, rig.server.address, content))
    rig.results.figures += [
        Figure(
            "set",
            f"Set of {count:,} new tokens ({len(content) / 1e6:.0f} MB)",
            "tokens/s",
            rates,
            _XMLLINT,
            linted,
            at_least=0.35,
            aim=0.6,
            note="" if linted else _WITHOUT_XMLLINT,
        ),
        Figure("set-copy", "the same", "tokens/s", rates, "psql COPY of the rows", _copied(rig)),
        Figure(
            "set-rival",
            f"the same (rival: {rig.sizes.rival_tokens:,} tokens)",
            "tokens/s",
            rates,
            "Spyne objects and ORM",
            _rival_sets(rig),
            at_least=15,
            aim=25,
        ),
    ]


def _linted(rig: Rig, document: Path, count: int) -> list[float]:
    if limits.xmllint() is None:
        return []
    return [count / limits.xmllint_seconds(rig.schema, document)]


def _copied(rig: Rig) -> list[float]:
    """The stored rows by COPY into a table like theirs, with its indexes."""
    path = rig.folder / "tokens.copy"
    limits.copy_to_file(rig.url, "SELECT * FROM token", path)
    rates = []
    for _ in range(rig.sizes.runs):
        rig.execute("DROP TABLE IF EXISTS copied", "CREATE TABLE copied (LIKE token INCLUDING ALL)")
        rates.append(rig.sizes.tokens / limits.copy_in_seconds(rig.url, "copied", path))
    rig.execute("DROP TABLE copied")
    path.unlink()
    return rates


def _rival_sets(rig: Rig) -> list[float]:
    count = rig.sizes.rival_tokens
    content = messages.whole(messages.SET, messages.tokens(count))
    with rig.rival() as address:
        return [count / seconds(client.upload, address, content) for _ in range(rig.sizes.runs)]


def measure_update(rig: Rig) -> None:
    """An Update of all tokens of which one in a hundred changed."""
    count = rig.sizes.tokens
    client.upload(rig.server.address, messages.whole(messages.SET, messages.tokens(count)))
    rates, linted = [], []
    for run in range(rig.sizes.runs):
        records = messages.tokens(count, changed_every=100, version=run + 1)
        content = messages.whole(messages.UPDATE, records)
        document = messages.bare_file(rig.folder / "update.xml", content)
        linted += _linted(rig, document, count)
        with rig.memory():
            rates.append(count / seconds(client.upload, rig.server.address, content))
    rig.results.figures.append(
        Figure(
            "update",
            f"Update of {count:,} tokens, 1% changed",
            "tokens/s",
            rates,
            _XMLLINT,
            linted,
            at_least=0.4,
            aim=0.7,
            note="" if linted else _WITHOUT_XMLLINT,
        )
    )


def measure_get(rig: Rig) -> None:
    """The whole list down, against COPY of the payloads."""
    count = rig.sizes.tokens_downloaded
    rig.forget_tokens()
    client.upload(rig.server.address, messages.whole(messages.SET, messages.tokens(count)))
    rig.execute("VACUUM ANALYZE token")
    request = message("cpo", messages.GET)
    rates, copied = [], []
    for _ in range(rig.sizes.runs + 2):
        copied.append(count / limits.copy_out_seconds(rig.url, _PAYLOADS))
        with rig.memory():
            rates.append(count / seconds(client.download, rig.server.address, request))
    rig.results.figures.append(
        Figure(
            "get",
            f"Get of {count:,} tokens",
            "tokens/s",
            rates,
            "psql COPY of the payloads",
            copied,
            at_least=0.8,
            aim=1.0,
        )
    )


def measure_growth(rig: Rig) -> None:
    """Up and down at several sizes: the cost of one record must not grow."""
    request = message("cpo", messages.GET)
    for size in rig.sizes.growth:
        content = messages.whole(messages.SET, messages.tokens(size))
        rig.forget_tokens()
        address = rig.server.address
        with rig.memory():
            up_s = seconds(client.upload, address, content)
            down_s = min(seconds(client.download, address, request) for _ in range(3))
        rig.results.growth += [
            Point("Set, tokens new", size, size / up_s, "tokens/s"),
            Point("Get", size, size / down_s, "tokens/s"),
        ]
