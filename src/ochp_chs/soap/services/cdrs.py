"""CDRs."""

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import Service

from ochp_chs.clearing.cdrs import add, confirm, lists
from ochp_chs.soap.services.operation import soap_operation


class CdrService(Service):
    """The four operations on CDRs."""

    AddCDRs = soap_operation("AddCDRs", add.add_cdrs)
    GetCDRs = soap_operation("GetCDRs", lists.get_cdrs)
    CheckCDRs = soap_operation("CheckCDRs", lists.check_cdrs)
    ConfirmCDRs = soap_operation("ConfirmCDRs", confirm.confirm_cdrs)
