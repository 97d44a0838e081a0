"""How a partner's messages are read (PROTOCOL, "Reading: strict and tolerant")."""

from enum import StrEnum


class Reading(StrEnum):
    """`tolerant` repairs what the list of repairs names, `strict` repairs nothing."""

    TOLERANT = "tolerant"
    STRICT = "strict"
