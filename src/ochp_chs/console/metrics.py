"""Who may read /metrics: they name partners and what they do."""

import ipaddress
from typing import Any

PATH = "/metrics"

REFUSED = (
    "Metrics are for the addresses of OCHP_CHS_METRICS_ALLOW alone, and not through a proxy.\n"
)

#: What proxies add. Who comes through one comes from anywhere, whatever address it says it has.
_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks from a comma-separated list; raises ValueError for what is none."""
    parts = (part.strip() for part in text.split(","))
    return tuple(ipaddress.ip_network(part) for part in parts if part)


def may_read(environ: dict[str, Any], allowed: tuple[Network, ...]) -> bool:
    """Tell whether a request may read the metrics.

    ``environ`` as it came, before a proxy's headers were believed.
    """
    if any(name in environ for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(environ.get("REMOTE_ADDR", ""))
    except ValueError:
        # A Unix socket: a proxy's.
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in allowed)
