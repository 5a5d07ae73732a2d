"""Chinese mobile numbers by the MIIT network-code table (state of March 2023).

In: 11 digits, grouped 3-4-4 by one kind of separator or not, with or without `+86`, `0086`, `86`. The table lets 56 %
of random 1xx… strings pass, so `yes` is said only where the country code is written; otherwise `unsure`.
"""

import re

from detectors.model import Verdict
from detectors.validators import Validator

# 154 160 161 163 164 168 169 179 194 are not issued; 140-144 are 13-digit machine numbers.
_NOT_ISSUED = frozenset({140, 141, 142, 143, 144, 154, 160, 161, 163, 164, 168, 169, 179, 194})
PREFIXES = frozenset(str(n) for n in range(130, 200) if n not in _NOT_ISSUED)
_FOUR_DIGITS = frozenset({"1610", "1619"})  # satellite and other codes issued out of 161
_SHAPE = re.compile(r"((?:\+|00)?86[ -]?)?(1\d{2})([ .-]?)(\d{4})\3\d{4}")


def check(text: str) -> Verdict:
    """Prefix table; `yes` only with a country code."""
    if len(text) == 11:
        issued = text[:3] in PREFIXES or text[:4] in _FOUR_DIGITS
        return "unsure" if issued and text.isascii() and text.isdigit() else "no"
    shape = _SHAPE.fullmatch(text)
    if shape is None or not text.isascii():
        return "no"
    if shape[2] not in PREFIXES and shape[2] + shape[4][0] not in _FOUR_DIGITS:
        return "no"
    return "yes" if shape[1] else "unsure"


VALIDATOR = Validator("cn_mobile", check, "MIIT network codes 2023-03; yes only with country code 86")
