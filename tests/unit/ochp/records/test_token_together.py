"""Many tokens decoded at once are what they are one by one."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.token import TokenCodec
from ochp_chs.ochp.xml import escape_text

_CODEC = TokenCodec()
_TEXT = st.text(st.sampled_from("0aÄ€😀 &<>\"'\\\t\n\r/=-*"), max_size=12)


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record that is valid against the schema, in any of the ways in which one can be written."""
    instance, representation = draw(
        st.sampled_from(
            [
                ("04A1B2C3D4E5F6", None),
                ("04a1b2", "plain"),
                ("ab" * 32, "sha-256"),
                ("AB" * 20, "sha-160"),
            ]
        )
        | _TEXT.map(lambda text: (text, "plain"))
    )
    attribute = f' representation="{representation}"' if representation else ""
    sub_type = draw(st.sampled_from(["", "<tokenSubType>mifareDes</tokenSubType>"]))
    token_type = draw(st.sampled_from(["rfid", "evco-id"]))
    contract = draw(st.sampled_from(["DE-EMP-C00000001", "DEEMPC00000002", "de-emp-c0000000a-X"]))
    printed = draw(st.none() | _TEXT)
    number = "" if printed is None else f"<printedNumber>{escape_text(printed)}</printedNumber>"
    expiry = draw(st.sampled_from(["2099-12-31T23:59:59Z", "2020-02-29T00:00:00Z"]))
    space = draw(st.sampled_from(["", "", "", "\n  ", " "]))
    return (
        f"<roamingAuthorisationInfoArray>{space}<EmtId{attribute}>"
        f"<instance>{escape_text(instance)}</instance><tokenType>{token_type}</tokenType>"
        f"{sub_type}</EmtId>{space}<contractId>{contract}</contractId>{number}"
        f"<expiryDate><DateTime>{expiry}</DateTime></expiryDate></roamingAuthorisationInfoArray>"
    )


@given(content=st.lists(records(), min_size=1, max_size=5), tail=st.sampled_from(["", "\n", "\t"]))
def test_together_or_one_by_one(content: list[str], tail: str) -> None:
    holder = etree.fromstring(f'<records xmlns="{NAMESPACE}">{tail.join(content)}</records>')
    together = _CODEC.decode_together(holder)
    assert together is None or together == [tuple(_CODEC.decode(record)) for record in holder]


def holder_of(*changes: tuple[str, str]) -> etree._Element:
    record = (
        "<roamingAuthorisationInfoArray><EmtId><instance>04A1</instance>"
        "<tokenType>rfid</tokenType></EmtId><contractId>DE-EMP-C00000001</contractId>"
        "<expiryDate><DateTime>2099-12-31T23:59:59Z</DateTime></expiryDate>"
        "</roamingAuthorisationInfoArray>\n"
    )
    content = record
    for old, new in changes:
        content += record.replace(old, new)
    return etree.fromstring(f'<records xmlns="{NAMESPACE}">{content}</records>')


def test_plain_records_are_taken_together() -> None:
    holder = holder_of(("04A1", "Ärger"), ("<EmtId>", '<EmtId representation="plain">'))
    assert len(_CODEC.decode_together(holder) or ()) == 3


def test_one_that_has_to_be_refused_is_left_to_the_other_way() -> None:
    for old, new in (
        ("rfid", "remote"),
        ("2099-12-31", "2099-13-31"),
        ("<EmtId>", '<EmtId representation="sha-256">'),
    ):
        assert _CODEC.decode_together(holder_of((old, new))) is None
