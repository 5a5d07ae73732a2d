"""Unified social credit code of Chinese organisations, 18 characters (GB 32100).

Alphabet without I O S V Z; weights 3^i modulo 31; characters 3-8 are a region (first two a province, 10 for national
registration); characters 9-17 are the organisation code with a check character of its own (GB 11714).
`yes`: both checks hold. `unsure`: only the outer one does (some early codes were assigned so).
"""

from detectors.checksums import org_code_digit
from detectors.model import Verdict
from detectors.validators import Validator

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {char: value for value, char in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_PROVINCE_RANGES = ((10, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
_PROVINCES = frozenset(str(n) for low, high in _PROVINCE_RANGES for n in range(low, high + 1))
_AUTHORITIES = frozenset("123456789AGNY")  # registration departments, GB 32100 table 1 and its amendment


def check_character(body: str) -> str:
    """Last character for the first 17, all of them in ALPHABET."""
    return ALPHABET[-sum(_VALUE[c] * w for c, w in zip(body, _WEIGHTS, strict=True)) % 31]


def check(text: str) -> Verdict:
    """Alphabet, region and both check characters."""
    value = text.upper()
    if len(value) != 18 or value[0] not in _AUTHORITIES or value[2:4] not in _PROVINCES or not value.isascii():
        return "no"
    if not value[2:8].isdigit() or any(c not in _VALUE for c in value) or check_character(value[:17]) != value[17]:
        return "no"
    return "yes" if org_code_digit(value[8:16]) == value[16] else "unsure"


VALIDATOR = Validator("cn_uscc", check, "GB 32100 modulo 31, region, and GB 11714 check of the organisation code")
