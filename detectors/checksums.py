"""Check-digit arithmetic shared by validators.

In: strings of the alphabet each function names. Out: residues, characters or truth. O(n), no allocation worth naming,
no dates, no tables of issuers. Lives beside the validators because those do not import each other.
"""

_DOUBLED = bytes((2 * d - 9 if 2 * d > 9 else 2 * d) if 0 <= (d := i - 48) <= 9 else 0 for i in range(256))
_MOD_11_2 = "10X98765432"


def luhn(digits: str) -> bool:
    """True where ASCII `digits` satisfy ISO/IEC 7812-1 Annex B (Luhn)."""
    raw = digits.encode("ascii")
    plain = raw[::-2]
    return (sum(plain) - 48 * len(plain) + sum(raw[-2::-2].translate(_DOUBLED))) % 10 == 0


def luhn_digit(body: str) -> str:
    """Check digit that completes `body` for Luhn."""
    raw = body.encode("ascii")
    other = raw[-2::-2]
    return str(-(sum(other) - 48 * len(other) + sum(raw[::-2].translate(_DOUBLED))) % 10)


def mod_11_2(body: str) -> str:
    """Check character of GB 11643 / ISO 7064 MOD 11-2 for a digit string (`0`-`9`, `X`).

    13 is 2 modulo 11, so reading the digits in base 13 sums the powers of two in one C call.
    """
    return _MOD_11_2[2 * int(body, 13) % 11]


def mod_11_10(body: str) -> str:
    """Check digit of ISO 7064 MOD 11,10 for a digit string."""
    product = 10
    for char in body:
        product = ((product + int(char)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def weighted_sum(digits: str, weights: tuple[int, ...]) -> int:
    """Weighted sum of ASCII digits, pairwise with `weights`."""
    return sum(w * (ord(d) - 48) for d, w in zip(digits, weights, strict=True))


def mrz_digit(field: str) -> str:
    """Check digit of ICAO Doc 9303-3 section 4.9: weights 7 3 1, `<` is 0, `A` is 10."""
    total = 0
    for i, char in enumerate(field):
        total += (0 if char == "<" else int(char, 36)) * (7, 3, 1)[i % 3]
    return str(total % 10)


def org_code_digit(body: str) -> str:
    """Check character of GB 11714 (organisation code) for eight characters of `0`-`9`, `A`-`Z`."""
    rest = 11 - sum(int(c, 36) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def is_date(year: int, month: int, day: int) -> bool:
    """True for a real day of the Gregorian calendar."""
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return False
    if month == 2:
        return day <= (29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28)
    return day <= 30 or month not in {4, 6, 9, 11}
