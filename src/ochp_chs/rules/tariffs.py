"""Which tariff a CDR was to be billed by: the owner's, for that connector, at that time."""

from decimal import Decimal

from ochp_chs.ochp.identifiers import tariff_key
from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.decimals import ZERO
from ochp_chs.ochp.records.tariff import IndividualTariff
from ochp_chs.rules.context import Context


def find_tariff_id(cdr: Cdr, context: Context) -> str | None:
    """The ID of the tariff of the connector that was used, as sent; None if nobody names one.

    The CDR's own connector comes first; else the charge point data's connector of that standard
    and format; else, where all connectors of the EVSE have one and the same tariff, that one.
    """
    if cdr.connector.tariff_id is not None:
        return cdr.connector.tariff_id
    evse = context.evses.get(cdr.evse_key)
    if evse is None:
        return None
    used = (cdr.connector.standard, cdr.connector.format)
    fitting = {c.tariff_id for c in evse.connectors if (c.standard, c.format) == used}
    tariff_ids = fitting or {c.tariff_id for c in evse.connectors}
    return tariff_ids.pop() if len(tariff_ids) == 1 else None


def find_tariff(cdr: Cdr, context: Context) -> IndividualTariff | None:
    """The tariff that the CDR's owner had been given when the session began, None if unknown."""
    if not context.tariffs:
        return None
    tariff_id = find_tariff_id(cdr, context)
    if tariff_id is None:
        return None
    for given in context.tariffs.get((tariff_key(tariff_id), cdr.provider), ()):
        if given.given_from <= cdr.start and (
            given.given_until is None or cdr.start < given.given_until
        ):
            return given.tariff
    return None


def largest_step(cdr: Cdr, context: Context, item: BillingItem) -> Decimal:
    """The largest block in which the owner's tariff bills this item, 0 where it is not known."""
    tariff = find_tariff(cdr, context)
    if tariff is None:
        return ZERO
    return max((e.step for e in tariff.elements if e.item is item), default=ZERO)
