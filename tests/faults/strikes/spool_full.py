"""The disk for temporary files is full: a long message that needs it is not served, and says so."""

from random import Random

from tests.faults.site import SmallSite
from tests.faults.traffic.line import Line, is_refusal_of_service
from tests.faults.traffic.market import STRANGER
from tests.faults.traffic.traffic import Traffic
from tests.support.cdrs import cdr_xml
from tests.support.edge import Reply

#: More than is kept in memory, and less than the disk holds.
_CDRS = 10_000


class SpoolFull:
    name = "disk for temporary files full"
    lasts_s = (0.5, 1.5)
    back_within_s = 10.0

    def inject(self, site: SmallSite, dice: Random) -> None:
        """Fill it."""
        site.temporary_disk.fill()

    def expect(self, site: SmallSite, traffic: Traffic) -> None:
        """It says that it cannot, and that the same can be sent again."""
        reply = _send_long_message(site)
        assert is_refusal_of_service(reply), (reply.status, reply.result, reply.description)
        assert "again" in reply.description

    def heal(self, site: SmallSite) -> None:
        """There is room again: the same message is judged, and refused for what it is."""
        site.temporary_disk.free()
        reply = _send_long_message(site)
        assert reply.result == "invalid-id", reply.description


def _send_long_message(site: SmallSite) -> Reply:
    """From a CPO whose CDRs are all another's: nothing of it is ever stored."""
    records = "".join(
        cdr_xml(cdr_id=f"NLXXX{number:08}", evse_id="NL*XXX*E1") for number in range(_CDRS)
    )
    return Line(site.address).send(STRANGER, "AddCDRs", records)
