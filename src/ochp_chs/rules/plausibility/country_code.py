"""Rule country-code."""

from collections.abc import Mapping

from ochp_chs.ochp.codes import country_codes
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "country-code"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The country of the charge point's address is a three-letter code of ISO 3166-1.

    PROTOCOL, "Plausibility"; specification, "AddressType".
    """
    if cdr.country in country_codes():
        return None
    return Violation(
        ID,
        "chargePointAddress/country",
        cdr.country,
        "this is not a country of ISO 3166-1 alpha-3, write for example DEU",
    )


RULE = Rule(ID, Severity.REJECT, check)
