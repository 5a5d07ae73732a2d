"""International bank account number (ISO 13616): length of the country, MOD 97-10.

Separators: none, or single blanks in groups of four. Lengths are those of the SWIFT IBAN registry.
"""

import re

from detectors.model import Verdict
from detectors.validators import Validator

_BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FK FI FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
LENGTHS = {country: length for length, countries in _BY_LENGTH.items() for country in countries.split()}
_GROUPED = re.compile(r"[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?")


def check(text: str) -> Verdict:
    """Country, length, check digits."""
    value = text.upper()
    if " " in value:
        if _GROUPED.fullmatch(value) is None:
            return "no"
        value = value.replace(" ", "")
    if LENGTHS.get(value[:2]) != len(value) or not value.isascii() or not value.isalnum() or not value[2:4].isdigit():
        return "no"
    return "yes" if int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1 else "no"


VALIDATOR = Validator("iban", check, "ISO 13616: country length, MOD 97-10")
