"""Who the client is when a proxy stands between."""

from typing import Any


def believe_proxies(environ: dict[str, Any], trusted: frozenset[str]) -> None:
    """Take address, scheme and host from X-Forwarded-* if the peer is a trusted proxy.

    ``trusted`` are addresses; ``*`` in it trusts everybody. The client is the last address in the
    chain that is not a trusted proxy's: what stands before it, the client may have made up.
    """
    if not _is_trusted(environ.get("REMOTE_ADDR", ""), trusted):
        return
    chain = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    hops = [part for part in chain if part]
    while len(hops) > 1 and hops[-1] in trusted:
        hops.pop()
    if hops:
        environ["REMOTE_ADDR"] = hops[-1]
    scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
    if scheme in ("http", "https"):
        environ["wsgi.url_scheme"] = scheme
    host = environ.get("HTTP_X_FORWARDED_HOST", "").rpartition(",")[2].strip()
    if host:
        environ["HTTP_HOST"] = host


def _is_trusted(address: str, trusted: frozenset[str]) -> bool:
    # An empty address is a Unix socket's peer: a proxy on this machine.
    return not address or "*" in trusted or address in trusted
