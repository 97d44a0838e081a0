"""Charge points."""

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import Service

from ochp_chs.clearing import charge_points
from ochp_chs.soap.services.operation import soap_operation


class ChargePointService(Service):
    """The four operations on charge points."""

    SetChargepointList = soap_operation("SetChargepointList", charge_points.set_list)
    UpdateChargePointList = soap_operation("UpdateChargePointList", charge_points.update_list)
    GetChargePointList = soap_operation("GetChargePointList", charge_points.get_list)
    GetChargePointListUpdates = soap_operation(
        "GetChargePointListUpdates", charge_points.get_list_updates
    )
