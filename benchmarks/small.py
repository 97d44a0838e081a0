"""Small requests: one card, and a delta with nothing in it."""

import random
import time
from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks import client, limits, messages
from benchmarks.figure import Figure, Point
from benchmarks.rig import Rig

_LOOKUPS = 500
_CONNECTIONS = 16
_POLLS = 200

#: As many tokens as if one upload had brought them; the statement says so, too.
_PER_CHANGE = 10_000

_INSERT_TOKENS = (
    "INSERT INTO token (digest, provider, token_type, representation, digest_sha160,"
    " contract_id, expires_at, payload, change_id) SELECT sha256(n::text::bytea), 'DEEMP',"
    " 'rfid', 'plain', NULL, 'DEEMPC' || lpad((n %% 100000000)::text, 8, '0'), '2099-12-31',"
    " '<EmtId><instance>' || n || '</instance><tokenType>rfid</tokenType></EmtId>'"
    " || '<contractId>DE-EMP-C00000001</contractId>'"
    " || '<expiryDate><DateTime>2099-12-31T23:59:59Z</DateTime></expiryDate>',"
    " n / 10000 FROM generate_series({first}, {last}) n"
)
_INSERT_CHANGES = (
    "INSERT INTO change (id, feed, changed_at) SELECT n, 'tokens', '2001-01-01'"
    " FROM generate_series({first}, {last}) n ON CONFLICT DO NOTHING"
)


def measure_single(rig: Rig) -> None:
    """Single authorisations, against a bare web server and against the rival."""
    count = rig.sizes.rival_tokens
    tokens = messages.whole(messages.SET, messages.tokens(count))
    rig.forget_tokens()
    client.upload(rig.server.address, tokens)
    requests = _lookups(count)
    ours: list[float] = []
    bare: list[float] = []
    theirs: list[float] = []
    with limits.gunicorn("benchmarks.bare:app") as address, rig.rival() as rival:
        client.upload(rival, tokens)
        rig.execute("VACUUM ANALYZE token")
        for _ in range(rig.sizes.runs):
            for rates, at in ((bare, address), (ours, rig.server.address), (theirs, rival)):
                load = client.load(at, requests, rig.sizes.seconds_of_load, _CONNECTIONS)
                rates.append(load.per_second)
    rig.results.figures += [
        Figure(
            "single",
            f"single authorisations, 2 workers, {_CONNECTIONS} connections",
            "requests/s",
            ours,
            "gunicorn with a constant answer",
            bare,
            at_least=0.25,
            aim=0.45,
        ),
        Figure(
            "single-rival",
            "the same",
            "requests/s",
            ours,
            "Spyne objects and ORM",
            theirs,
            at_least=2.5,
            aim=5,
        ),
    ]


def _lookups(count: int) -> list[bytes]:
    # Plain ones: every seventh is a hash, which the rival would not find.
    dice = random.Random(1)  # noqa: S311 - the same choice in every run
    numbers = [n for n in dice.sample(range(count), min(count, _LOOKUPS)) if n % 7]
    return [client.request_bytes(messages.single(f"04{number:012X}")) for number in numbers]


def measure_delta(rig: Rig) -> None:
    """Deltas without any change, with few tokens stored and with many."""
    rig.forget_tokens()
    small, large = rig.sizes.stock_small, rig.sizes.stock_large
    timings = {}
    stored = 0
    for size in (small, large):
        _stock(rig, stored, size)
        stored = size
        timings[size] = [_poll_ms(rig) for _ in range(rig.sizes.runs)]
        rig.results.growth.append(Point("empty delta", size, median(timings[size]), "ms"))
    rig.results.figures.append(
        Figure(
            "delta",
            f"an empty delta with {large:,} tokens stored",
            "ms",
            timings[large],
            f"one with {small:,}",
            timings[small],
            at_least=1.2,
            aim=1.0,
            less_is_better=True,
        )
    )
    rig.forget_tokens()


def _stock(rig: Rig, first: int, until: int) -> None:
    """Store tokens as many uploads would have, long ago."""
    rig.execute(
        _INSERT_TOKENS.format(first=first, last=until - 1),
        _INSERT_CHANGES.format(first=-(-first // _PER_CHANGE), last=(until - 1) // _PER_CHANGE),
        "VACUUM ANALYZE token",
        "CHECKPOINT",
    )
    rig.make_everything_old()


def _poll_ms(rig: Rig) -> float:
    """The median time of a poll on a kept connection."""
    since = datetime.now(UTC) + timedelta(minutes=2)
    request = client.request_bytes(messages.delta(f"{since:%Y-%m-%dT%H:%M:%SZ}"))
    connection = client.connect(rig.server.address)
    taken = []
    try:
        for _ in range(_POLLS):
            began = time.perf_counter()
            answer = client.exchange(connection, request)
            taken.append((time.perf_counter() - began) * 1000)
            client.expect_ok(answer)
            if b"roamingAuthorisationInfo" in answer:
                raise client.HttpError("the delta is not empty")
    finally:
        connection.close()
    return median(taken)
