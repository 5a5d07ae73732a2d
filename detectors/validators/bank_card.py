"""Payment card numbers: Luhn, then issuer prefix with that issuer's exact length.

`yes`: a Chinese issuer range (cn_iin.csv beside this file) with its length, or an international brand in groups.
`unsure`: an undivided number of a brand (one in ten numbers that start with 4 passes Luhn), an unlisted 62 prefix, or a
listed debit range whose check digits are known to be unreliable.
Groups of four (Amex 4-6-5), one kind of separator, are accepted. Sixteen-digit microsecond epochs start with 1 and no
issuer of sixteen digits does, so they cannot pass.
"""

import functools
import importlib.resources
import re

from detectors.checksums import luhn
from detectors.model import Verdict
from detectors.validators import Validator

_GROUPS = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{5}")
# Brand ranges: ISO/IEC 7812 issuer prefixes as published by the schemes; prefix low, high (same width), lengths.
_BRANDS: tuple[tuple[str, str, frozenset[int]], ...] = (
    ("4", "4", frozenset({16})),  # Visa; the rare 13 and 19 digits are not told from other numbers
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),  # Mastercard 2-series
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("3528", "3589", frozenset({16})),  # JCB
    ("6011", "6011", frozenset({16})),  # Discover
    ("644", "649", frozenset({16})),
    ("65", "65", frozenset({16})),
    ("36", "36", frozenset({14})),  # Diners Club International
    ("300", "305", frozenset({14})),
)
_UNRELIABLE = frozenset({"843", "870", "103", "303"})


@functools.cache
def _issuers() -> dict[int, frozenset[str]]:
    """Length of the number -> issuer prefixes."""
    text = importlib.resources.files("detectors.validators").joinpath("cn_iin.csv").read_text(encoding="utf-8")
    table: dict[int, set[str]] = {}
    for line in text.splitlines():
        if line.startswith(("#", "bank,")) or not line:
            continue
        _bank, _kind, length, prefixes = line.split(",")
        known = table.setdefault(int(length), set())
        for item in prefixes.split():
            low, _, tail = item.partition("-")
            high = low[: len(low) - len(tail)] + tail
            known.update(str(n) for n in range(int(low), int(high) + 1))
    return {length: frozenset(prefixes) for length, prefixes in table.items()}


def _issued(value: str, *, grouped: bool) -> Verdict:
    known = _issuers().get(len(value), frozenset())
    for width in (6, 5, 4, 8, 9, 7, 3):
        prefix = value[:width]
        if prefix in known:
            return "unsure" if prefix in _UNRELIABLE else "yes"
    for low, high, lengths in _BRANDS:
        if len(value) in lengths and low <= value[: len(low)] <= high:
            return "yes" if grouped else "unsure"
    return "unsure" if value[:2] == "62" and 16 <= len(value) <= 19 else "no"


def check(text: str) -> Verdict:
    """Luhn and issuer with exact length."""
    value = text
    if not text.isdigit():
        if _GROUPS.fullmatch(text) is None:
            return "no"
        value = text.replace(" ", "").replace("-", "")
    if not 13 <= len(value) <= 19 or not value.isascii() or value[0] in "017" or not luhn(value):
        return "no"
    return _issued(value, grouped=value is not text)


VALIDATOR = Validator("bank_card", check, "ISO/IEC 7812 Luhn; Chinese issuer or brand prefix with its exact length")
