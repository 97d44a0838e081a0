"""How deep, how wide and how long the parts of a message may be.

XML's own grammar bounds none of it. What is valid against the schema is neither deep nor wide, so
that only its texts are measured; they are measured together first, which costs next to nothing.
"""

from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from ochp_chs.ochp.violations import Violation
from ochp_chs.ochp.xml import local_name

#: The rule that is named to the sender.
_RULE = "limit"


@dataclass(frozen=True)
class Shape:
    """The largest that an element may be, everything inside of it included."""

    depth_max: int
    attributes_max: int
    text_characters_max: int
    #: Of one record, all levels together.
    elements_max: int = 20_000

    def for_message(self, written: bytes) -> "Shape":
        """What to measure the parts of a whole message with: nothing, if it is as short as most.

        An element has at least a bracket for itself and one for each level above and below, an
        attribute has an equals sign, and no text is longer than what it is written with.
        """
        brackets = written.count(b"<")
        fits = (
            brackets < 2 * self.depth_max
            and brackets <= self.elements_max
            and written.count(b"=") <= self.attributes_max
            and len(written) <= self.text_characters_max
        )
        return _FITTING if fits else self

    def has_crowded_child(self, request: etree._Element) -> bool:
        """Whether a child of the request has more elements inside than a record may have."""
        return bool(self._has_crowded_child(request))

    def text_is_short(self, element: etree._Element) -> bool:
        """Whether all texts inside together are no longer than one may be."""
        length = self._text_length(element)
        return isinstance(length, float) and length <= self.text_characters_max

    def excess(self, element: etree._Element) -> Violation | None:
        """What is too deep, too wide or too long in an element; the first that is found."""
        if not self._may_exceed(element) and self.text_is_short(element):
            return None
        if self._is_ordinary(element):
            return None
        return self._too_deep(element) or self._too_wide(element) or self._too_long(element)

    def _too_deep(self, element: etree._Element) -> Violation | None:
        if not self._has_depth(element):
            return None
        text = f"elements are nested deeper than {self.depth_max}, the most that is read here"
        return Violation(_RULE, local_name(element), "", text)

    def _too_wide(self, element: etree._Element) -> Violation | None:
        for each in element.iter(etree.Element):
            if len(each.attrib) > self.attributes_max:
                name = local_name(each)[:100]
                text = (
                    f"the element has {len(each.attrib)} attributes; at most {self.attributes_max}"
                    " are read here"
                )
                return Violation(_RULE, name, "", text)
        return None

    def _too_long(self, element: etree._Element) -> Violation | None:
        for each in element.iter(etree.Element):
            name = local_name(each)[:100]
            lengths = [(name, len(each.text or "")), (name, len(each.tail or ""))]
            lengths += [
                (str(attribute).rpartition("}")[2][:100], len(value))
                for attribute, value in each.attrib.items()
            ]
            for where, length in lengths:
                if length > self.text_characters_max:
                    text = (
                        f"the text has {length} characters; at most {self.text_characters_max}"
                        " are read here"
                    )
                    return Violation(_RULE, where, "", text)
        return None

    @cached_property
    def _text_length(self) -> etree.XPath:
        return etree.XPath("string-length()")

    @cached_property
    def _may_exceed(self) -> etree.XPath:
        """Whether it is too deep or too wide, or a single attribute too long: asked at once."""
        return etree.XPath(
            f"boolean({'/'.join(['*'] * self.depth_max)}"
            f" | descendant-or-self::*[count(@*) > {self.attributes_max}]"
            f" | descendant-or-self::*/@*[string-length() > {self.text_characters_max}])"
        )

    @cached_property
    def _has_crowded_child(self) -> etree.XPath:
        # Stops at the first: it costs a hundredth of reading the records.
        return etree.XPath(f"boolean(*/descendant::*[{self.elements_max + 1}])")

    @cached_property
    def _is_ordinary(self) -> etree.XPath:
        # Nearly everything is, and this costs less than to look at each part.
        attributes = "descendant-or-self::*/@*"
        return etree.XPath(
            f"string-length() <= {self.text_characters_max} and not({self._depths}"
            f" | {attributes}[{self.attributes_max + 1}]"
            f" | {attributes}[string-length() > {self.text_characters_max}])"
        )

    @cached_property
    def _has_depth(self) -> etree.XPath:
        return etree.XPath(f"boolean({self._depths})")

    @property
    def _depths(self) -> str:
        return "/".join(["*"] * self.depth_max)


class _Fitting(Shape):
    """For what is known to fit."""

    def has_crowded_child(self, request: etree._Element) -> bool:
        return False

    def text_is_short(self, element: etree._Element) -> bool:
        return True

    def excess(self, element: etree._Element) -> Violation | None:
        return None


_FITTING = _Fitting(0, 0, 0)
