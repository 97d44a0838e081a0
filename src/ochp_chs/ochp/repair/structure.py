"""Repairs of how a record is built: names, attributes, empty elements and order."""

from ochp_chs.ochp.repair.places import QUALIFIED, Member, Place, Repair, members, ochp_name
from ochp_chs.ochp.schema import complex_types

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

#: Longest list of names that is kept in a note about their order.
_NAMES_SHOWN_CHARACTERS_MAX = 200

#: Wrong name to right one. CDRs and tokens spell two of them differently, and the specification's
#: text has others than its schema. Whether a name is wrong is for the type to say.
NAMES = {
    "cdrId": "CdrId",
    "CdrId": "cdrId",
    "emtId": "EmtId",
    "EmtId": "emtId",
    "floorlevel": "floorLevel",
    "operatingTimes": "openingTimes",
}


def names_of_the_schema(place: Place) -> list[Repair]:
    """Rename children whose known misspelling stands where the type wants the right name."""
    present = {ochp_name(element) for element in place.element}
    if present <= place.known.keys():
        return []
    done = []
    for element in place.element:
        was = ochp_name(element)
        if was is None or was in place.known:
            continue
        now = NAMES.get(was)
        # With both spellings there, which of them is meant cannot be known.
        if now is None or now not in place.known or now in present:
            continue
        element.tag = QUALIFIED + now
        present.add(now)
        text = f"The element {was} was read as {now}."
        done.append(Repair(place.below(now), was, now, text))
    return done


def plain_attributes(place: Place) -> list[Repair]:
    """Take attributes that are put in the OCHP namespace as the plain ones of the type."""
    attributes = place.element.attrib
    done = []
    for name in place.shape.attributes:
        qualified = QUALIFIED + name
        if qualified not in attributes or name in attributes:
            continue
        attributes[name] = attributes.pop(qualified)
        text = f"The attribute {name} was taken out of the OCHP namespace."
        done.append(Repair(place.below(f"@{name}"), qualified, name, text))
    return done


def empty_elements_as_absent(place: Place) -> list[Repair]:
    """Remove optional children without content, ``xsi:nil`` ones included.

    An empty timeZone would pass the XSD; it goes like the others. So does an empty recipient,
    which may make the individual tariff everybody's: the note of the repair is what tells.
    """
    done = []
    for member in members(place):
        if member.child.required or not _is_empty(member):
            continue
        place.element.remove(member.element)
        name = member.child.name
        text = f"The empty element {name} was taken as absent{_MEANING.get(name, '')}."
        done.append(Repair(member.path, f"<{name}/>", "", text))
    return done


#: What it means that an element is absent, where a sender may not have meant that.
_MEANING = {"recipient": "; an individual tariff without any recipient is for everybody"}


def _is_empty(member: Member) -> bool:
    element = member.element
    if len(element):
        return False
    # White space is content of a simple type (a name may be one blank), not of a complex one.
    is_complex = member.child.type in complex_types()
    text = (element.text or "").strip() if is_complex else element.text
    # Removing an element takes the text behind it along, which must not get lost.
    if text or (element.tail or "").strip():
        return False
    return all(str(name).startswith(_XSI) for name in element.attrib)


def order_of_the_schema(place: Place) -> list[Repair]:
    """Put children in the order of the type; those of one name keep theirs among themselves."""
    children = list(place.element)
    names = [ochp_name(element) for element in children]
    if len(children) < 2 or any(name not in place.known for name in names):
        return []
    ranks = {name: rank for rank, name in enumerate(place.known)}
    order = sorted(range(len(children)), key=lambda index: ranks[str(names[index])])
    if order == list(range(len(children))):
        return []
    for index in order:
        place.element.append(children[index])
    was = ", ".join(str(name) for name in names)[:_NAMES_SHOWN_CHARACTERS_MAX]
    now = ", ".join(str(names[index]) for index in order)[:_NAMES_SHOWN_CHARACTERS_MAX]
    field = place.path or str(ochp_name(place.element))
    return [Repair(field, was, now, f"The elements in {field} were put in the schema's order.")]
