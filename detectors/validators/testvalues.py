"""Published test numbers and degenerate digit strings: values of the right shape that belong to nobody.

In: an entity id and a canonical value. Out: truth. The list (test_values.csv beside this file) holds numbers printed in
standards, vendor documentation and official specimens. Declares no VALIDATOR: the scanner asks it after a validator
said yes, and reports such values apart.
"""

import functools
import importlib.resources

_ASCENDING = "01234567890123456789"
_DESCENDING = "98765432109876543210"
_SECRETS = frozenset({"credential", "private_key", "jwt", "connection_string"})  # `11111111` is a password indeed


@functools.cache
def _published() -> frozenset[tuple[str, str]]:
    """Pairs of entity and canonical value."""
    text = importlib.resources.files("detectors.validators").joinpath("test_values.csv").read_text(encoding="utf-8")
    rows = (line.split(",", 2) for line in text.splitlines() if line and not line.startswith(("#", "entity,")))
    return frozenset((entity, value) for entity, value, _source in rows)


def is_degenerate(digits: str) -> bool:
    """True for one repeated digit or an arithmetic run (`123456…`, `987654…`), of four digits or more.

    Args:
        digits: ASCII digits; anything else is judged on its digits alone.
    """
    run = digits if digits.isascii() and digits.isdigit() else "".join(c for c in digits if "0" <= c <= "9")
    if len(run) < 4:
        return False
    if run.count(run[0]) == len(run):
        return True
    return len(run) <= len(_ASCENDING) and (run in _ASCENDING or run in _DESCENDING)


def is_test_value(entity: str, canonical: str) -> bool:
    """True where `canonical` is published as a test or specimen value of `entity`, or has no information in its digits.

    Degenerate are: one digit repeated or an arithmetic run over all digits of a value with at least six; the same for
    the eight digits after the prefix of a Chinese mobile number.

    Args:
        entity: entity id; degenerate runs are judged for numbers only, never for secrets.
        canonical: canonical form of the value.
    """
    if (entity, canonical) in _published():
        return True
    if entity in _SECRETS or len(canonical) < 6 or not canonical.isascii() or not canonical.isdigit():
        return False
    return is_degenerate(canonical) or (entity == "cn_mobile" and is_degenerate(canonical[3:]))
