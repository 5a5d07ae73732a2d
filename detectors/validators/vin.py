"""Vehicle identification number, 17 characters without I O Q (ISO 3779, GB 16735, 49 CFR 565).

`yes`: check digit in position 9 holds, as it must in China and North America. `unsure`: a European maker (S to Z) that
fills position 9 with `Z`, as makers there may. The last four positions are digits, position 10 is a model-year code,
and at least one letter occurs: hashes and base32 fragments fail one of these.
"""

from detectors.model import Verdict
from detectors.validators import Validator

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_VALUES = {
    **{str(n): n for n in range(10)},
    **dict(zip(_LETTERS, (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)),
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_YEARS = frozenset("ABCDEFGHJKLMNPRSTVWXY123456789")


def check_digit(value: str) -> str:
    """Character that belongs in position 9 of a 17-character VIN of the alphabet."""
    rest = sum(_VALUES[c] * w for c, w in zip(value, _WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def check(text: str) -> Verdict:
    """Alphabet, structure and check digit."""
    value = text.upper()
    if len(value) != 17 or not value.isascii() or any(c not in _VALUES for c in value):
        return "no"
    if not value[13:].isdigit() or value.isdigit() or value[0] == "0":
        return "no"
    if value[8] == check_digit(value):
        return "yes" if value[9] in _YEARS else "unsure"
    return "unsure" if value[8] == "Z" and "S" <= value[0] <= "Z" else "no"


VALIDATOR = Validator("vin", check, "ISO 3779 structure; check digit of 49 CFR 565 / GB 16735")
