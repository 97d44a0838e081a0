"""The two check characters of contract IDs: ISO 15118-2 Annex H, and DIN SPEC 91286 before it.

Pure arithmetic on letters and digits in upper case; what forms an ID may have is decided in
``identifiers``.
"""

from collections.abc import Iterator

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#: Characters of a contract ID that the ISO check character is computed over.
ISO_LENGTH = 14
#: Characters of an old contract ID that the DIN check character is computed over.
DIN_LENGTH = 11

_Vector = tuple[int, int]
_Matrix = tuple[_Vector, _Vector]

_IDENTITY: _Matrix = ((1, 0), (0, 1))
_P1: _Matrix = ((0, 1), (1, 1))
_P2: _Matrix = ((0, 1), (1, 2))


def _times_matrix(row: _Vector, matrix: _Matrix, modulus: int) -> _Vector:
    (a, b), (c, d) = matrix
    return (row[0] * a + row[1] * c) % modulus, (row[0] * b + row[1] * d) % modulus


def _powers(matrix: _Matrix, modulus: int) -> Iterator[_Matrix]:
    """Yield the first, second, ... power of a 2x2 matrix modulo a prime, without end."""
    power = _IDENTITY
    while True:
        power = (
            _times_matrix(power[0], matrix, modulus),
            _times_matrix(power[1], matrix, modulus),
        )
        yield power


def _contributions() -> tuple[dict[str, int], ...]:
    """Return what each character adds at each of the 14 places, four sums packed into one int.

    A character with the number n in ALPHABET stands for two binary digits (n // 18, n // 9 % 2)
    and two ternary ones (n % 9 // 3, n % 3). Annex H asks that over all 15 characters the sums of
    binary rows times P1**i (modulo 2) and of ternary rows times P2**i (modulo 3) vanish. P1**3
    and P2**8 are the identity, so that solved for the 15th character the weight of place i is
    P1**i and -P2**(i + 1).
    """
    twos, threes = _powers(_P1, 2), _powers(_P2, 3)
    next(threes)
    places = []
    for _ in range(ISO_LENGTH):
        two, three = next(twos), next(threes)
        place = {}
        for number, character in enumerate(ALPHABET):
            a, b = _times_matrix((number // 18, number // 9 % 2), two, 2)
            c, d = _times_matrix((-(number % 9 // 3), -(number % 3)), three, 3)
            # Eight bits for each sum: 14 places add up to 28 at most, nothing carries over.
            place[character] = a | b << 8 | c << 16 | d << 24
        places.append(place)
    return tuple(places)


_CONTRIBUTIONS = _contributions()


def iso_check_character(text: str) -> str:
    """Return the check character of a contract ID of 14 letters and digits in upper case.

    ISO 15118-2 Annex H. Raises ``ValueError`` for another length, ``KeyError`` for another
    character.
    """
    total = 0
    for place, character in zip(_CONTRIBUTIONS, text, strict=True):
        total += place[character]
    twos = (total & 1) * 18 + (total >> 8 & 1) * 9
    return ALPHABET[twos + (total >> 16 & 255) % 3 * 3 + (total >> 24) % 3]


def din_check_character(text: str) -> str:
    """Return the check character (digit or X) of an old contract ID of 11 letters and digits.

    DIN SPEC 91286: letters count as two digits (A is 10), each digit weighs twice the one before
    it, modulo 11. Raises ``ValueError`` for another length or another character.
    """
    if len(text) != DIN_LENGTH:
        raise ValueError(f"the old check character is computed over {DIN_LENGTH} characters")
    digits = "".join(str(ALPHABET.index(character)) for character in text)
    remainder = sum(int(digit) << place for place, digit in enumerate(digits)) % 11
    return "0123456789X"[remainder]
