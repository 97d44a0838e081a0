"""Authorisation data."""

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import Service

from ochp_chs.clearing import authorisation
from ochp_chs.soap.services.operation import soap_operation


class AuthorisationService(Service):
    """The five operations on tokens."""

    SetRoamingAuthorisationList = soap_operation(
        "SetRoamingAuthorisationList", authorisation.set_list
    )
    UpdateRoamingAuthorisationList = soap_operation(
        "UpdateRoamingAuthorisationList", authorisation.update_list
    )
    GetRoamingAuthorisationList = soap_operation(
        "GetRoamingAuthorisationList", authorisation.get_list
    )
    GetRoamingAuthorisationListUpdates = soap_operation(
        "GetRoamingAuthorisationListUpdates", authorisation.get_list_updates
    )
    GetSingleRoamingAuthorisation = soap_operation(
        "GetSingleRoamingAuthorisation", authorisation.get_single, authorisation.get_single_ahead
    )
