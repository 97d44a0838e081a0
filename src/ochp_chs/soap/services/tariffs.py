"""Tariffs."""

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import Service

from ochp_chs.clearing import tariffs
from ochp_chs.soap.services.operation import soap_operation


class TariffService(Service):
    """Tariffs from CPOs to EMPs."""

    UpdateTariffs = soap_operation("UpdateTariffs", tariffs.update_tariffs)
    GetTariffUpdates = soap_operation("GetTariffUpdates", tariffs.get_updates)
