"""Tolerant reading: what is put right in a record that failed its XSD type.

Exactly the list of PROTOCOL, "Reading: strict and tolerant"; nothing is ever invented. The reader
checks the record again afterwards, so what cannot be put right is simply left.
"""

from lxml import etree

from ochp_chs.ochp.repair.places import Repair, places
from ochp_chs.ochp.repair.structure import (
    empty_elements_as_absent,
    names_of_the_schema,
    order_of_the_schema,
    plain_attributes,
)
from ochp_chs.ochp.repair.values import VALUE_REPAIRS, repair_values

__all__ = ["RECORD_NAME_REPAIRS", "VALUE_REPAIRS", "Repair", "repair"]

#: Names of a request's record elements that are understood: the record's own name stands outside
#: the record and is the reader's to put right.
RECORD_NAME_REPAIRS = {"tariffInfoArray": "TariffInfoArray"}


def repair(record: etree._Element, type_name: str) -> list[Repair]:
    """Put right in place what can be, in one element of this XSD type; return what was done.

    The element was parsed without comments and processing instructions. It works as well for one
    field of a request, such as lastUpdate of the type DateTimeType. Repairing twice is repairing
    once. Raises ``KeyError`` when the contract has no such complex type.
    """
    done: list[Repair] = []
    # Walked lazily, from the top: the name of an element decides the type of what is in it.
    for place in places(record, type_name):
        done += names_of_the_schema(place)
        done += plain_attributes(place)
    # From the bottom: an element whose optional children are all empty is empty itself.
    for place in reversed(list(places(record, type_name))):
        done += empty_elements_as_absent(place)
    for place in places(record, type_name):
        done += order_of_the_schema(place)
        done += repair_values(place)
    return done
