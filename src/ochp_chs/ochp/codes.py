"""Codes that OCHP takes from elsewhere: countries, languages, time zones; loaded at first use."""

from functools import cache
from zoneinfo import available_timezones

import pycountry


@cache
def country_codes() -> frozenset[str]:
    """Every three-letter code of ISO 3166-1."""
    return frozenset(country.alpha_3 for country in pycountry.countries)


@cache
def language_codes() -> frozenset[str]:
    """Every code of ISO 639-3, in upper case as OCHP writes them."""
    return frozenset(language.alpha_3.upper() for language in pycountry.languages)


@cache
def bibliographic_language_codes() -> dict[str, str]:
    """Codes of ISO 639-2 that ISO 639-3 replaced (GER), with the right one (DEU); upper case."""
    return {
        language.bibliographic.upper(): language.alpha_3.upper()
        for language in pycountry.languages
        if hasattr(language, "bibliographic")
    }


@cache
def time_zone_names() -> frozenset[str]:
    """Every name of a time zone in tzdata, the system's and the installed package's."""
    return frozenset(available_timezones())
