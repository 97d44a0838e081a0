"""Service endpoints of OCHP direct."""

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import Service

from ochp_chs.clearing import direct
from ochp_chs.soap.services.operation import soap_operation


class DirectService(Service):
    """The two operations of OCHP direct that a clearing house answers."""

    AddServiceEndpoints = soap_operation("AddServiceEndpoints", direct.add_endpoints)
    GetServiceEndpoints = soap_operation("GetServiceEndpoints", direct.get_endpoints)
