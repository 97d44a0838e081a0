"""States as XML, in the default namespace of the request around them."""


def evse_xml(
    evse_id: str = "DE*CPO*E1",
    major: str = "available",
    minor: str | None = None,
    *,
    ttl: str | None = None,
) -> str:
    """One EvseStatusType."""
    attributes = f' major="{major}"' + _optional("minor", minor) + _optional("ttl", ttl)
    return f"<evse{attributes}><evseId>{evse_id}</evseId></evse>"


def parking_xml(
    parking_id: str = "DE*PSO*P1", status: str = "available", *, ttl: str | None = None
) -> str:
    """One ParkingStatusType."""
    attributes = f' status="{status}"' + _optional("ttl", ttl)
    return f"<parking{attributes}><parkingId>{parking_id}</parkingId></parking>"


def date_time_xml(name: str, moment: str) -> str:
    """A ttl or startDateTime of a request."""
    return f"<{name}><DateTime>{moment}</DateTime></{name}>"


def _optional(name: str, value: str | None) -> str:
    return "" if value is None else f' {name}="{value}"'
