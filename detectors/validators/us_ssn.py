"""United States social security number: never-issued ranges only, there is no check digit (SSA, since June 2011).

`unsure` at best: areas 000, 666 and 900-999, group 00 and serial 0000 are `no`. Separators: none, or twice the
same of `-` and blank.
"""

import re

from detectors.model import Verdict
from detectors.validators import Validator

_SHAPE = re.compile(r"(\d{3})([- ]?)(\d{2})\2(\d{4})", re.ASCII)


def check(text: str) -> Verdict:
    """Issued area, group and serial."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        return "no"
    area, group, serial = found[1], found[3], found[4]
    return "no" if area in {"000", "666"} or area[0] == "9" or group == "00" or serial == "0000" else "unsure"


VALIDATOR = Validator("us_ssn", check, "never-issued area, group and serial refused; no check digit exists")
