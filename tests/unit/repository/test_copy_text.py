"""What COPY reads is what the rows were."""

from datetime import UTC, datetime

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.repository.copy_text import LineEncoder, together

_COLUMNS = [
    sa.Column("number", sa.BigInteger()),
    sa.Column("text", sa.Text()),
    sa.Column("digest", sa.LargeBinary()),
    sa.Column("at", sa.TIMESTAMP(timezone=True)),
    sa.Column("payload", sa.Text()),
]
_UNESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}

_rows = st.lists(
    st.tuples(
        st.none() | st.integers(),
        st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        st.none() | st.binary(),
        st.none() | st.just(datetime(2026, 3, 1, 12, tzinfo=UTC)) | st.just("2026-03-01T12:00:00Z"),
        st.text("<>abc&;/", max_size=5),
    ),
    min_size=1,
    max_size=20,
)


def unescaped(text: str) -> str:
    """A field as COPY's documentation says it is read."""
    read, place = "", 0
    while place < len(text):
        step = 2 if text[place] == "\\" else 1
        part = text[place : place + step]
        read += _UNESCAPED.get(part, part)
        place += step
    return read


@given(rows=_rows)
def test_lines_say_what_the_rows_hold(rows: list[tuple[object, ...]]) -> None:
    lines = LineEncoder(_COLUMNS).lines(list(zip(*rows, strict=True)))
    assert len(lines) == len(rows)
    assert together(lines) == "".join(f"{line}\n" for line in lines).encode()
    for line, row in zip(lines, rows, strict=True):
        fields = line.split("\t")
        assert len(fields) == len(row), "a tab or a line feed inside of a value"
        assert "\n" not in line
        for field, value in zip(fields, row, strict=True):
            if value is None:
                assert field == "\\N"
            elif isinstance(value, bytes):
                assert unescaped(field) == f"\\x{value.hex()}"
            else:
                assert unescaped(field) == str(value)
