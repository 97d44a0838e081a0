"""What a charging period or a tariff element is about (specification, "BillingItemType")."""

from enum import StrEnum


class BillingItem(StrEnum):
    """The billing items, each with the unit its amounts are counted in."""

    PARKINGTIME = "parkingtime"
    USAGETIME = "usagetime"
    ENERGY = "energy"
    POWER = "power"
    SERVICE_FEE = "serviceFee"
    RESERVATION = "reservation"
    RESERVATIONTIME = "reservationtime"


#: Wire name to member; a look-up here costs a third of a call of the enumeration.
BILLING_ITEMS = {item.value: item for item in BillingItem}

#: Amounts in hours.
TIME_ITEMS = frozenset(
    {BillingItem.PARKINGTIME, BillingItem.USAGETIME, BillingItem.RESERVATIONTIME}
)
#: The amount is a multiplier and has to be 1.
ONE_TIME_ITEMS = frozenset({BillingItem.SERVICE_FEE, BillingItem.RESERVATION})
