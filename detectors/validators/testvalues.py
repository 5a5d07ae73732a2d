"""Published test numbers and degenerate digit strings: values of the right shape that belong to nobody.

In: an entity id and a canonical value. Out: truth. The list holds numbers printed in standards, vendor documentation and
official specimens. Declares no VALIDATOR: the scanner asks it after a validator said yes.
"""

_ASCENDING = "01234567890123456789"
_DESCENDING = "98765432109876543210"

# Canonical forms (no separators, upper case). Sources: payment schemes' and gateways' test cards, ICAO Doc 9303 specimen,
# SSA notices, ISO 13616 example, sample numbers printed on Chinese, Hong Kong, Taiwan and Singapore forms.
_PUBLISHED = frozenset(
    (
        "4111111111111111 4242424242424242 4012888888881881 4000056655665556 5555555555554444 5105105105105100 "
        "378282246310005 371449635398431 378734493671000 6011111111111117 6011000990139424 30569309025904 "
        "38520000023237 3530111333300000 3566002020360505 2223003122003222 6200000000000005 6222021234567890123 "
        "110101199003070000 13800138000 123456789 078051120 219099999 DE89370400440532013000 L898902C3 A1234563 "
        "A123456789 S1234567D"
    ).split()
)


def is_degenerate(digits: str) -> bool:
    """True for one repeated digit or an arithmetic run (`123456…`, `987654…`), of four digits or more.

    Args:
        digits: ASCII digits; anything else is judged on its digits alone.
    """
    run = digits if digits.isdigit() else "".join(c for c in digits if c.isdigit())
    if len(run) < 4:
        return False
    if run.count(run[0]) == len(run):
        return True
    return len(run) <= len(_ASCENDING) and (run in _ASCENDING or run in _DESCENDING)


def is_test_value(entity: str, canonical: str) -> bool:
    """True where `canonical` is published as a test or specimen value, or is degenerate.

    Args:
        entity: entity id; degenerate runs are judged for numbers only, never for secrets.
        canonical: canonical form of the value.
    """
    if canonical in _PUBLISHED:
        return True
    return entity != "credential" and len(canonical) >= 6 and canonical.isascii() and canonical.isdigit() and is_degenerate(canonical)
