"""Chinese vehicle plates (GA 36): province character, letter, five or six characters without I and O.

`yes`: an ordinary plate with at least three digits, a new-energy plate (class letter in third or last place), or one
with a special last character. Text such as a province character before a product code fails the digit rule.
"""

import re

from detectors.model import Verdict
from detectors.validators import Validator

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_HEAD = rf"[{PROVINCES}][A-HJ-NP-Z][·. -]?"
_ORDINARY = re.compile(rf"{_HEAD}([A-HJ-NP-Z0-9]{{5}})")
_ENERGY = re.compile(rf"{_HEAD}(?:[A-HJK][A-HJ-NP-Z0-9]\d{{4}}|\d{{5}}[A-HJK])")
_SPECIAL = re.compile(rf"{_HEAD}([A-HJ-NP-Z0-9]{{4}})[挂学警港澳试超领]")


def check(text: str) -> Verdict:
    """Structure only; there is no check digit."""
    value = text.upper()
    for shape, digits in ((_ORDINARY, 3), (_SPECIAL, 3)):
        found = shape.fullmatch(value)
        if found is not None:
            return "yes" if sum(c.isdigit() for c in found[1]) >= digits else "no"
    return "yes" if _ENERGY.fullmatch(value) else "no"


VALIDATOR = Validator("cn_plate", check, "GA 36: province, letter, 5 or 6 characters, three digits at least")
