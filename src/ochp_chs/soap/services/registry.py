"""All services, in the order of the specification's chapters."""

from ochp_chs.soap.services.authorisation import AuthorisationService
from ochp_chs.soap.services.cdrs import CdrService
from ochp_chs.soap.services.charge_points import ChargePointService
from ochp_chs.soap.services.direct import DirectService
from ochp_chs.soap.services.live_status import LiveStatusService
from ochp_chs.soap.services.pending import pending_service
from ochp_chs.soap.services.tariffs import TariffService

BUILT = (
    AuthorisationService,
    CdrService,
    ChargePointService,
    TariffService,
    LiveStatusService,
    DirectService,
)

SERVICES = (*BUILT, pending_service(BUILT))
