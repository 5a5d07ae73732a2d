"""Geographic positions: two decimal degrees with at least four decimals (about 11 m), latitude and longitude.

In: `lat,lon` or `lon,lat` as a pair, or two named fields (`"lat":31.2304,"lng":121.4737`). `unsure` at best: two
decimals are everywhere, context or a column must decide. Pairs out of range, equal, or near 0,0 are `no`.
"""

import re

from detectors.model import Verdict
from detectors.validators import Validator

_DEGREES = re.compile(r"[-+]?\d{1,3}\.\d+", re.ASCII)


def check(text: str) -> Verdict:
    """Range and precision of both numbers."""
    found = _DEGREES.findall(text)
    if len(found) != 2 or any(len(number.partition(".")[2]) < 4 for number in found):
        return "no"
    one, two = float(found[0]), float(found[1])
    if abs(one) > 180 or abs(two) > 180 or (abs(one) > 90 and abs(two) > 90):
        return "no"
    return "no" if one == two or (abs(one) < 1 and abs(two) < 1) else "unsure"


VALIDATOR = Validator("geo_coordinate", check, "two decimal degrees in range with four decimals or more")
