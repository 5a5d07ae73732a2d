r"""Machine-readable zones of travel documents (ICAO Doc 9303 parts 4 and 5), weights 7 3 1.

TD3 (passports): two lines of 44; the second holds four check digits and a composite one. TD1 (cards): three lines of
30. Lines may be separated by any white space, or by the escapes `\n`, `\r\n` of text in text.
"""

import re

from detectors.checksums import is_date, mrz_digit
from detectors.model import Verdict
from detectors.validators import Validator

_BREAK = re.compile(r"(?:\\r|\\n|\s)+")


def _dates_hold(birth: str, expiry: str) -> bool:
    """Both `yymmdd`; a birth day or month may be unknown (`<<`)."""
    for date, may_be_unknown in ((birth, True), (expiry, False)):
        if may_be_unknown and "<" in date:
            continue
        if not date.isdigit() or not is_date(2000, int(date[2:4]), int(date[4:6])):
            return False
    return True


def _fields_hold(*fields: tuple[str, str]) -> bool:
    return all(mrz_digit(field) == digit or (digit == "<" and not field.strip("<")) for field, digit in fields)


def check_td3(text: str) -> Verdict:
    """Passport: both lines, or the second alone."""
    value = _BREAK.sub("", text)
    line = value[-44:]
    if len(value) not in {44, 88} or (len(value) == 88 and value[0] != "P") or not _is_mrz(value):
        return "no"
    number, birth, expiry, personal = line[:9], line[13:19], line[21:27], line[28:42]
    composite = line[:10] + line[13:20] + line[21:43]
    held = _fields_hold(
        (number, line[9]), (birth, line[19]), (expiry, line[27]), (personal, line[42]), (composite, line[43])
    )
    return "yes" if held and _dates_hold(birth, expiry) and line[20] in "MFX<" and number.strip("<") else "no"


def check_td1(text: str) -> Verdict:
    """Card: three lines of 30."""
    value = _BREAK.sub("", text)
    if len(value) != 90 or value[0] not in "IAC" or not _is_mrz(value):
        return "no"
    one, two = value[:30], value[30:60]
    number, birth, expiry = one[5:14], two[:6], two[8:14]
    composite = one[5:] + two[:7] + two[8:15] + two[18:29]
    held = _fields_hold((number, one[14]), (birth, two[6]), (expiry, two[14]), (composite, two[29]))
    return "yes" if held and _dates_hold(birth, expiry) and two[7] in "MFX<" else "no"


def _is_mrz(value: str) -> bool:
    return value.isascii() and all(c.isdigit() or c == "<" or "A" <= c <= "Z" for c in value)


VALIDATORS = (
    Validator("mrz_td3", check_td3, "ICAO Doc 9303-4: five check digits, dates, sex"),
    Validator("mrz_td1", check_td1, "ICAO Doc 9303-5: four check digits, dates, sex"),
)
