"""Chinese passports and travel permits: number series, no check digit, so `unsure` at best.

Passport: `E` + digit or letter (no I, O) + 7 digits (electronic, since 2012), `G` + 8 digits, `14` or `15` + 7,
official series DE SE PE D S P + 7 or 8, Hong Kong K, KJ, H and Macao MA, MB. One repeated digit is refused.
"""

import re

from detectors.model import Verdict
from detectors.validators import Validator

_PASSPORT = re.compile(
    r"E[A-HJ-NP-Z]\d{7}|[EG]\d{8}|1[45]\d{7}|(?:DE|SE|PE|KJ|MA|MB)\d{7}|[DSP]\d{7,8}|[KH]\d{8}", re.ASCII
)
_HOME_RETURN = re.compile(r"[HM]\d{8}(?:\d{2})?", re.ASCII)
_TAIWAN = re.compile(r"\d{8}|\d{10}\([A-Z]\)", re.ASCII)
_OUTBOUND = re.compile(r"[CW]\d{8}|C[A-HJ-NP-Z]\d{7}|[TL]\d{8}", re.ASCII)


def _judge(shape: re.Pattern[str], text: str) -> Verdict:
    value = text.upper()
    if shape.fullmatch(value) is None:
        return "no"
    digits = [c for c in value if c.isdigit()]
    return "no" if len(set(digits)) == 1 else "unsure"


def check_passport(text: str) -> Verdict:
    """Passport of the People's Republic, with the Hong Kong and Macao series."""
    return _judge(_PASSPORT, text)


def check_home_return(text: str) -> Verdict:
    """Permit of Hong Kong and Macao residents for the mainland."""
    return _judge(_HOME_RETURN, text)


def check_taiwan(text: str) -> Verdict:
    """Permit of Taiwan residents for the mainland."""
    return _judge(_TAIWAN, text)


def check_outbound(text: str) -> Verdict:
    """Permit of mainland residents for Hong Kong, Macao or Taiwan."""
    return _judge(_OUTBOUND, text)


VALIDATORS = (
    Validator("cn_passport", check_passport, "series of Chinese passports; no check digit"),
    Validator("cn_hmo_home_return_permit", check_home_return, "H or M and 8 or 10 digits; no check digit"),
    Validator("cn_taiwan_compatriot_permit", check_taiwan, "8 digits, or 10 and a letter; no check digit"),
    Validator("cn_travel_permit_to_hk_mo_tw", check_outbound, "C, W, T, L series; no check digit"),
)
