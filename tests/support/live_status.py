"""Live status: states as XML, and as a partner gets them."""

from datetime import datetime, timedelta

from lxml import etree

from ochp_chs.ochp.times import format_date_time
from tests.support.edge import Edge, Reply

GET = "GetStatus"
UPDATE = "UpdateStatus"

#: major or status, minor, ttl
State = tuple[str | None, str | None, str | None]
#: By identifier, as it was sent.
States = dict[str, State]


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


def add_market(edge: Edge) -> Edge:
    """Add an NSP connected to a CPO and a PSO, who are connected to each other."""
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("pso", "pso", "DE*PSO")
    edge.partner("nsp", "nsp")
    edge.connect("cpo", "nsp")
    edge.connect("pso", "nsp")
    edge.connect("cpo", "pso")
    return edge


def get(
    edge: Edge, kind: str | None = None, since: str | None = None, *, by: str = "nsp"
) -> States:
    """What GetStatus answers; each identifier must be there once."""
    content = "" if since is None else date_time_xml("startDateTime", since)
    content += "" if kind is None else f"<statusType>{kind}</statusType>"
    return states(edge.call(by, GET, content))


def states(reply: Reply) -> States:
    """The states in an answer."""
    assert reply.fault is None, reply.fault
    found = {(record[0].text or ""): _state(record) for record in reply.body}
    assert len(found) == len(reply.body)
    return found


def _state(record: etree._Element) -> State:
    return (record.get("major") or record.get("status"), record.get("minor"), record.get("ttl"))


def at(moment: datetime, **later: float) -> str:
    """A moment, or one so much later, as DateTimeType."""
    return format_date_time(moment + timedelta(**later))


def make_everything_older(edge: Edge) -> None:
    """As if all that is stored had been sent, and all connections made, long ago."""
    with edge.database.begin() as connection:
        connection.exec_driver_sql("UPDATE change SET changed_at = '2001-01-01'")
        connection.exec_driver_sql("UPDATE roaming_connection SET connected_at = '2001-01-01'")
        connection.exec_driver_sql("UPDATE partner_party SET granted_at = '2001-01-01'")
