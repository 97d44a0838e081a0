"""What the database has, asked directly: all of a message or nothing, and histories that fit."""

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa

from tests.faults.audit.verdict import Verdict, difference
from tests.faults.traffic.senders import Sender

_MESSAGES = sa.text(
    "SELECT partner.name, operation, count(*) FROM message"
    " JOIN partner ON partner.id = message.partner_id GROUP BY 1, 2"
)

#: What must never be found, each as a statement that finds it.
_IMPOSSIBLE: Mapping[str, str] = {
    "a CDR whose last step does not lead to where it stands": """
        SELECT cdr_id FROM cdr JOIN LATERAL (
            SELECT to_status FROM cdr_step WHERE cdr = cdr.id ORDER BY cdr_step.id DESC LIMIT 1
        ) AS last ON true WHERE to_status <> status""",
    "a CDR without a step or without a version": """
        SELECT cdr_id FROM cdr WHERE NOT EXISTS (SELECT FROM cdr_step WHERE cdr = cdr.id)
            OR NOT EXISTS (SELECT FROM cdr_version WHERE cdr = cdr.id)""",
    "a step that does not begin where the one before it ended": """
        SELECT cdr FROM (
            SELECT cdr, from_status, lag(to_status) OVER (PARTITION BY cdr ORDER BY id) AS before
            FROM cdr_step) AS steps WHERE from_status IS DISTINCT FROM before""",
    "a CDR whose versions are not counted without a gap": """
        SELECT cdr_id FROM cdr JOIN (
            SELECT cdr, count(*) AS count, max(version) AS last, min(version) AS first
            FROM cdr_version GROUP BY cdr) AS versions ON versions.cdr = cdr.id
        WHERE first <> 1 OR last <> count OR last <> cdr.version
            OR last <> 1 + (SELECT count(*) FROM cdr_step
                            WHERE cdr = cdr.id AND event = 'revise')""",
    "a CDR that is there twice": "SELECT cdr_id FROM cdr GROUP BY cdr_id HAVING count(*) > 1",
    "a recipient who was given two things at once": """
        SELECT tariff_id FROM (
            SELECT tariff_id, given_from, lag(coalesce(given_until, 'infinity')) OVER (
                PARTITION BY tariff_key, recipient ORDER BY id) AS before
            FROM tariff) AS given WHERE given_from < before""",
    **{
        f"a change of {table} without its time": f"""
            SELECT change_id FROM {table}
            WHERE NOT EXISTS (SELECT FROM change WHERE change.id = change_id)"""
        for table in ("token", "charge_point", "tariff", "live_status")
    },
    "an endpoint's token without an endpoint": """
        SELECT partner_id FROM endpoint_token
        WHERE NOT EXISTS (SELECT FROM service_endpoint WHERE token_digest = digest)""",
}


def audit_stored(
    connection: sa.Connection, senders: Mapping[str, Sender], verdict: Verdict
) -> None:
    """Compare; and find out of what was not answered whether it was taken."""
    counted = Counter(
        {(partner, operation): n for partner, operation, n in connection.execute(_MESSAGES)}
    )
    for sender in senders.values():
        _audit_book(connection, sender, counted, verdict)
    for what, statement in _IMPOSSIBLE.items():
        found = connection.execute(sa.text(statement)).scalars().all()
        if found:
            verdict.half.append(f"{what}: {sorted(map(str, found))[:5]}")


def _audit_book(
    connection: sa.Connection,
    sender: Sender,
    counted: Counter[tuple[str, str]],
    verdict: Verdict,
) -> None:
    book = sender.book
    found = sender.stored(connection)
    logged = {
        each: counted[each]
        for each in {*book.answered, *([_names(sender)] if book.pending else [])}
    }
    before = sender.as_stored(book.entries)
    if book.pending is None:
        if found != before:
            verdict.lost.append(f"{book.name}: {difference(before, found)}")
        _compare_counts(book.name, dict(book.answered), logged, verdict)
        return
    after = sender.as_stored(book.pending.after)
    extra = logged[_names(sender)] - book.answered[_names(sender)]
    expected = {0: before, 1: after}.get(extra)
    if expected is None:
        verdict.half.append(
            f"{book.name}: {_names(sender)} is in the message log {extra} times for one message"
        )
    elif found != expected:
        state = "in the message log" if extra else "not in the message log"
        verdict.half.append(
            f"{book.name}: {_names(sender)}, unanswered, is {state}, but"
            f" {difference(expected, found)}"
        )
    elif extra:
        verdict.taken.append(book.name)
    answered = dict(book.answered) | {_names(sender): book.answered[_names(sender)] + extra}
    _compare_counts(book.name, answered, logged, verdict)


def _names(sender: Sender) -> tuple[str, str]:
    assert sender.book.pending is not None
    return sender.book.pending.partner, sender.book.pending.operation


def _compare_counts(
    name: str,
    answered: Mapping[tuple[str, str], int],
    logged: Mapping[tuple[str, str], int],
    verdict: Verdict,
) -> None:
    for each, count in answered.items():
        if logged[each] < count:
            verdict.lost.append(f"{name}: of {each} {count} were answered, {logged[each]} logged")
        elif logged[each] > count:
            verdict.half.append(f"{name}: of {each} {count} were answered, {logged[each]} logged")
