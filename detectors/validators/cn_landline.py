"""Chinese fixed-line numbers: area code of the MIIT numbering plan, subscriber number of 7 or 8 digits.

`unsure` at best, there is no check digit. Two-digit areas (Beijing 10, and 20-29 without 26) have 8 digits; others 7 or
8, both accepted because cities change over. 400 and 800 numbers belong to companies and are `no`.
"""

import re

from detectors.model import Verdict
from detectors.validators import Validator

_SHAPE = re.compile(
    r"(?:\+?86[ -]?)?\(?(0\d{2,3})\)?[ -]?([2-8]\d{6,7})(?:(?:[-转*#,]|ext\.?)\d{1,6})?", re.ASCII | re.IGNORECASE
)
_ABROAD = re.compile(r"(?:\+|00)86[ -]?\(?0?(\d{2,3})\)?[ -]?([2-8]\d{3}[ -]?\d{3,4})", re.ASCII)
# Three-digit areas in use, by hundreds: ranges low-high of the last two digits.
_AREAS = {
    3: "10-19 35 49-59 70-79 91-98",
    4: "11-12 15-19 21 27 29 31-39 51-59 64 67-79 82-83",
    5: "10-19 23 27 30-39 43 46 50-59 61-64 66 70-80 91-99",
    6: "31-35 60 62-63 68 91-92",
    7: "01 10-19 22 24 28 30-31 34-39 43-46 50-60 62-63 66 68-79 90-99",
    8: "12-13 16-18 25-27 30-39 51 54-59 70-79 83 86-88 91-98",
    9: "01-03 06 08-09 11-19 30-39 41 43 51-55 70-79 90-99",
}


def _expand() -> frozenset[str]:
    areas = {"10", *(str(n) for n in range(20, 30) if n != 26)}
    for hundred, spans in _AREAS.items():
        for span in spans.split():
            low, _, high = span.partition("-")
            areas.update(f"{hundred}{n:02d}" for n in range(int(low), int(high or low) + 1))
    return frozenset(areas)


AREAS = _expand()


def check(text: str) -> Verdict:
    """Area code and length of the subscriber number."""
    found = _SHAPE.fullmatch(text)
    if found is not None:
        area, number = found[1][1:], found[2]
        if area not in AREAS and len(area) == 3 and area[:2] in AREAS:  # `021` + `5…` read greedily
            area, number = area[:2], area[2] + number
    else:
        found = _ABROAD.fullmatch(text)
        if found is None:
            return "no"
        area, number = found[1], re.sub(r"[ -]", "", found[2])
    if area not in AREAS or number[0] not in "2345678":
        return "no"
    return "unsure" if len(number) == 8 or (len(number) == 7 and len(area) == 3) else "no"


VALIDATOR = Validator("cn_landline", check, "area code of the numbering plan, 7 or 8 digits")
