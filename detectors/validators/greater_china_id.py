"""Identity numbers of Hong Kong and Taiwan.

Hong Kong: one or two letters, six digits, check character (weights 9 to 2 modulo 11, letters A=10, blank=36), in
brackets or not. Taiwan: a letter for the place of registration, then nine digits, the first 1 or 2 (citizens), 8 or 9
(residents since 2021) or a letter A to D (residents before); weights 1 9 8 … 1 1 modulo 10.
"""

import re

from detectors.model import Verdict
from detectors.validators import Validator

_HK = re.compile(r"([A-Z]{1,2})(\d{6})(?:\(([0-9A])\)|([0-9A]))", re.ASCII)
_TW = re.compile(r"[A-Z][1289A-D]\d{8}", re.ASCII)
_TW_ORDER = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # letter -> 10, 11, … in the order the codes were given
_TW_CODE = {letter: 10 + i for i, letter in enumerate(_TW_ORDER)}


def hk_check_character(letters: str, digits: str) -> str:
    """Check character of a Hong Kong number: one or two letters, six digits."""
    values = [36, *(int(c, 36) for c in letters)][-2:] + [int(d) for d in digits]
    rest = sum(v * w for v, w in zip(values, range(9, 1, -1), strict=True)) % 11
    return "0" if rest == 0 else "A" if rest == 1 else str(11 - rest)


def check_hk(text: str) -> Verdict:
    """Hong Kong identity card."""
    found = _HK.fullmatch(text.upper())
    if found is None:
        return "no"
    return "yes" if hk_check_character(found[1], found[2]) == (found[3] or found[4]) else "no"


def tw_check_digit(body: str) -> str:
    """Last digit for the first nine characters of a Taiwanese number."""
    code = _TW_CODE[body[0]]
    second = _TW_CODE[body[1]] % 10 if body[1].isalpha() else int(body[1])
    total = (
        code // 10
        + code % 10 * 9
        + second * 8
        + sum(int(c) * w for c, w in zip(body[2:9], range(7, 0, -1), strict=True))
    )
    return str(-total % 10)


def check_tw(text: str) -> Verdict:
    """Taiwanese identity card or resident certificate."""
    value = text.upper()
    if _TW.fullmatch(value) is None:
        return "no"
    return "yes" if tw_check_digit(value[:9]) == value[9] else "no"


VALIDATORS = (
    Validator("hk_id", check_hk, "Hong Kong identity card: weighted sum modulo 11"),
    Validator("tw_national_id", check_tw, "Taiwan identity card: letter code and weighted sum modulo 10"),
)
