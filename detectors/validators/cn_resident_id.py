"""Chinese 18- and 15-digit identity numbers: resident ID, residence permit for HK/MO/TW, foreigner card.

GB 11643: region (6) + birth date (8) + serial (3) + MOD 11-2 check character. The county table is the one python-stdnum
ships (`cn/loc.dat`, with years of validity), read on first use. Departures from stdnum's own check, because it rejects
real numbers: permits `8[123]0000` and cards `9…` have their own validators here; a county that came into being after
the birth year is `yes` (numbers were assigned from 1984 on, also to people born long before); a county that had lapsed
by then, or that the table does not know (it ends years ago, districts are still founded), is `unsure`.
Future dates: years after 2035 are refused; the check reads no clock.
"""

import functools
import importlib.resources
import re

from detectors.checksums import is_date, mod_11_2
from detectors.model import Verdict
from detectors.validators import Validator

_PROVINCE_RANGES = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71))  # GB/T 2260
PROVINCES = frozenset(str(n) for low, high in _PROVINCE_RANGES for n in range(low, high + 1))
_FIRST_YEAR, _LAST_YEAR = 1881, 2035
# One kind of separator per value, in the groupings people write: 6 8 4 and 3 3 4 4 4.
_GROUPED = re.compile(r"\d{6}([ .-])\d{8}\1\d{3}[\dX]|\d{3}([ .-])\d{3}\2\d{4}\2\d{4}\2\d{3}[\dX]")
_RANGE = re.compile(r"\[(\d*)-(\d*)\]")


@functools.cache
def _counties() -> dict[str, tuple[tuple[int, int], ...]]:
    """County code -> years of validity (inclusive), from stdnum's cn/loc.dat."""
    table: dict[str, tuple[tuple[int, int], ...]] = {}
    province = ""
    text = importlib.resources.files("stdnum").joinpath("cn/loc.dat").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            province = line[:2]
            continue
        code, _, rest = line.strip().partition(" ")
        names = rest.partition('county="')[2].rstrip('"')
        spans = []
        for name in names.split(","):
            years = _RANGE.match(name)
            spans.append((int(years[1] or 0), int(years[2] or 9999)) if years else (0, 9999))
        table[province + code] = tuple(spans)
    return table


def _compact(text: str) -> str:
    if len(text) == 18:
        return text.upper()
    upper = text.upper()
    return re.sub(r"[ .-]", "", upper) if _GROUPED.fullmatch(upper) else ""


def _region_holds(code: str, year: int) -> bool:
    """Whether the table knows a county of this code in the birth year or later."""
    return any(year <= end for _start, end in _counties().get(code, ()))


def _body_holds(value: str) -> bool:
    """Digits, calendar date and check character; region apart."""
    body = value[:17]
    if len(value) != 18 or not (body.isascii() and body.isdigit()):
        return False
    year = int(value[6:10])
    return (
        _FIRST_YEAR <= year <= _LAST_YEAR
        and is_date(year, int(value[10:12]), int(value[12:14]))
        and mod_11_2(body) == value[17]
    )


def check_resident(text: str) -> Verdict:
    """Resident ID of 18 characters."""
    value = _compact(text)
    if value[:2] not in PROVINCES or not _body_holds(value):
        return "no"
    if value[2:6] == "0000" and value[:2] != "71":  # a whole province; 710000 are settled Taiwanese
        return "no"
    return "yes" if _region_holds(value[:6], int(value[6:10])) else "unsure"


def check_resident_15(text: str) -> Verdict:
    """Pre-1999 form: no check digit, so at best `unsure`."""
    if len(text) != 15 or not (text.isascii() and text.isdigit()) or text[:2] not in PROVINCES:
        return "no"
    year = 1900 + int(text[6:8])
    if not is_date(year, int(text[8:10]), int(text[10:12])):
        return "no"
    return "unsure" if _region_holds(text[:6], year) else "no"


def check_permit(text: str) -> Verdict:
    """Residence permit for Hong Kong (81), Macao (82) and Taiwan (83) residents."""
    value = _compact(text)
    if value[:6] not in {"810000", "820000", "830000"}:
        return "no"
    return "yes" if _body_holds(value) else "no"


def check_foreigner(text: str) -> Verdict:
    """Permanent residence card: 9 + place (2) + ISO 3166 numeric (3) (2023), or 3 letters + 12 digits (2017)."""
    if len(text) == 15:
        letters, digits = text[:3], text[3:]
        if not (letters.isascii() and letters.isalpha() and digits.isascii() and digits.isdigit()):
            return "no"
        # Digits 5-10 after the letters are a birth date yymmdd after 2 + 2 of place and serial.
        return "unsure" if is_date(2000, int(digits[6:8]), int(digits[8:10])) else "no"
    value = _compact(text)
    if value[:1] != "9" or value[1:3] not in PROVINCES:
        return "no"
    return "yes" if _body_holds(value) else "no"


VALIDATORS = (
    Validator(
        "cn_resident_id",
        check_resident,
        "GB 11643: MOD 11-2, calendar date, province; county of the birth year or later for yes",
    ),
    Validator("cn_resident_id_15", check_resident_15, "pre-1999 form: county and date; no check digit"),
    Validator("cn_residence_permit_hmt", check_permit, "GB 11643 number with region 810000, 820000 or 830000"),
    Validator("cn_foreigner_pr_card", check_foreigner, "2023: GB 11643 number starting with 9; 2017: shape and date"),
)
