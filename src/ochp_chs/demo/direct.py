"""Service endpoints of OCHP direct in the round trip: where partners reach each other."""

import secrets
from collections.abc import Iterator

from ochp_chs.demo.client import text_of
from ochp_chs.demo.partners import CPO, EMP, EMP2
from ochp_chs.demo.step import Step, Trip, told
from ochp_chs.ochp.operations import NAMESPACE


def play(trip: Trip) -> Iterator[Step]:
    """Both sides name an endpoint, and read the other's."""
    for who, kind, pattern in ((EMP, "provider", "DEEMPC%"), (CPO, "operator", "DECPOE%")):
        reply = trip.call(who, "AddServiceEndpoints", _endpoint(trip, kind, pattern))
        yield told(reply, f"{who.name} says where its partners reach it today, by which token.")
    for who, kind in ((CPO, "provider"), (EMP, "operator")):
        reply = trip.call(who, "GetServiceEndpoints")
        urls = [text_of(record, "url") for record in reply.records(f"{kind}EndpointArray")]
        yield told(
            reply,
            f"{who.name} finds {_url(kind)}.",
            holds=_url(kind) in urls,
        )
    reply = trip.call(EMP2, "GetServiceEndpoints")
    yield told(
        reply,
        "demo-emp2 is connected to nobody, and gets nothing.",
        expected="roaming",
        holds=not reply.records("operatorEndpointArray"),
    )


def _endpoint(trip: Trip, kind: str, pattern: str) -> str:
    # Today's set replaces the one of an earlier playing; no partner uses another's token.
    return (
        f"<{kind}EndpointArray><url>{_url(kind)}</url><namespaceUrl>{NAMESPACE}</namespaceUrl>"
        f"<accessToken>{secrets.token_hex(16)}</accessToken>"
        f"<validDate>{trip.now.date()}</validDate><whitelist>{pattern}</whitelist>"
        f"</{kind}EndpointArray>"
    )


def _url(kind: str) -> str:
    return f"https://{kind}.example/direct"
