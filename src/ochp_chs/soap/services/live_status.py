"""Live status."""

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import Service

from ochp_chs.clearing import live_status
from ochp_chs.soap.services.operation import soap_operation


class LiveStatusService(Service):
    """The two operations of the live interface."""

    UpdateStatus = soap_operation("UpdateStatus", live_status.update_status)
    GetStatus = soap_operation("GetStatus", live_status.get_status)
