"""What requests without records ask for, read from the valid request element."""

from datetime import datetime

from lxml import etree

from ochp_chs.clearing.errors import FrameRefused
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.times import InvalidTime, parse_date_time


def last_update(request: etree._Element) -> datetime:
    """The moment in lastUpdate; raises `FrameRefused` for month 13 and its like."""
    moment = optional_time(request, "lastUpdate")
    if moment is None:
        raise FrameRefused("lastUpdate is missing.")
    return moment


def optional_time(request: etree._Element, name: str) -> datetime | None:
    """The moment in an element of DateTimeType, None if it is absent."""
    text = request.findtext(f"{{{NAMESPACE}}}{name}/{{{NAMESPACE}}}DateTime")
    if text is None:
        return None
    try:
        return parse_date_time(text)
    except InvalidTime as error:
        raise FrameRefused(f"{name}: {error}") from None
