"""Mobile equipment identity (3GPP TS 23.003): 15 digits, Luhn, first two digits a reporting body that assigns codes."""

from detectors.checksums import luhn
from detectors.model import Verdict
from detectors.validators import Validator

_BODIES = frozenset("01 10 33 35 44 45 49 50 51 52 53 54 86 91 98 99".split())  # noqa: SIM905 - GSMA TS.06 annex


def check(text: str) -> Verdict:
    """Luhn and reporting body."""
    if len(text) != 15 or not text.isascii() or not text.isdigit() or text[:2] not in _BODIES:
        return "no"
    return "yes" if luhn(text) else "no"


VALIDATOR = Validator("imei", check, "3GPP TS 23.003: Luhn over 15 digits, known reporting body")
