"""All services, in the order of the specification's chapters."""

from ochp_chs.soap.services.authorisation import AuthorisationService
from ochp_chs.soap.services.pending import pending_service

BUILT = (AuthorisationService,)

SERVICES = (*BUILT, pending_service(BUILT))
