"""Tariffs as the clearing house's operator handles them: list, show, remove."""

from collections.abc import Sequence
from datetime import datetime

from ochp_chs.clearing.errors import PartnerUnknown, TariffUnknown
from ochp_chs.ochp.identifiers import is_tariff_id, operator_of, tariff_key
from ochp_chs.ochp.roles import Role
from ochp_chs.repository import tariff_history as history
from ochp_chs.repository import tariffs as store
from ochp_chs.repository.changes import publish
from ochp_chs.repository.engine import Database
from ochp_chs.repository.merge import lock_uploads
from ochp_chs.repository.partners import find_partner, owners_of
from ochp_chs.repository.tariff_history import GivenToRecipient, Listed
from ochp_chs.repository.tariffs import TARIFFS

#: Whose uploads a removal keeps out where no partner has the operator ID any more: nobody's.
_NOBODY = 0


def list_tariffs(database: Database, partner: str | None = None) -> Sequence[Listed]:
    """The tariffs that are given out, of one partner or of all; raises PartnerUnknown."""
    with database.begin() as connection:
        operators = None
        if partner is not None:
            found = find_partner(connection, partner)
            if found is None:
                raise PartnerUnknown(partner)
            operators = found.party_ids(Role.CPO)
        return history.list_tariffs(connection, operators)


def show_tariff(
    database: Database, tariff_id: str, *, ended: bool = False
) -> Sequence[GivenToRecipient]:
    """What every recipient is given, with `ended` also what was; raises TariffUnknown."""
    with database.begin() as connection:
        found = history.versions_of(connection, _key(tariff_id), ended=ended)
    if not found:
        raise TariffUnknown(tariff_id)
    return found


def remove_tariff(database: Database, tariff_id: str, at: datetime) -> None:
    """Give a tariff to nobody any more; raises TariffUnknown.

    A change like an upload's: the next delta of whoever saw it shows it as it was, ended. What
    was given stays known for CDRs of that time.
    """
    key = _key(tariff_id)
    operator = operator_of(tariff_id)
    with database.begin() as connection:
        owner, _ = owners_of(connection, Role.CPO, {operator}).get(operator, (_NOBODY, ""))
        change_id = lock_uploads(connection, TARIFFS, owner)
        if not store.remove(connection, key, change_id, at):
            raise TariffUnknown(tariff_id)
        publish(connection, TARIFFS, change_id)


def _key(tariff_id: str) -> str:
    if not is_tariff_id(tariff_id):
        raise TariffUnknown(tariff_id)
    return tariff_key(tariff_id)
