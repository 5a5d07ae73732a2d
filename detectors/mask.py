"""The only door for matched values: masks, canonical forms and keyed tokens.

In: the matched text (any width, case, separators) or its canonical form; both give the same answer. Out: text that may
be shown (`mask`), text that may be counted with (`canonical`, still raw: never let it out), or a digest (`token`).
Every function is total: any string in, no exception but for a form name that does not exist (our bug or the pack's,
found when packs load).

Masks keep what a person needs to recognise a value and no more: region and check digits of an identity number, the
issuer and last four of a card, the first and last letter of a mailbox. What is too short to mask that way is starred
as a whole.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

_STARS: Final = "***"
_HIDDEN: Final = "********"  # where the length itself would help to guess
_PEM_STARS: Final = 256  # an EC key and an RSA key look different, a line of an alert stays readable
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,3}\.[0-9]+")
_PEM: Final = re.compile(r"-----BEGIN([A-Z0-9]{0,16}?)PRIVATEKEY(BLOCK)?-----")
_ASCII_DIGITS: Final = frozenset("0123456789")


def _nfkc(value: str) -> str:
    """Full-width and compatibility forms folded; one pass for the usual ASCII value."""
    return value if value.isascii() else unicodedata.normalize("NFKC", value)


# --- canonical forms ---------------------------------------------------------------------------------------------


def _digits(value: str) -> str:
    return value if value.isascii() and value.isdigit() else "".join(c for c in _nfkc(value) if c in _ASCII_DIGITS)


def _mobile(value: str) -> str:
    """Digits; the country code 86 (`+86`, `0086`) dropped where a Chinese mobile number remains."""
    digits = _digits(value)
    if len(digits) in {13, 15} and digits[-13:-11] == "86" and digits[-11] == "1" and digits[:-13] in {"", "00"}:
        return digits[-11:]
    return digits


def _landline(value: str) -> str:
    """Digits; the country code 86 replaced by the trunk prefix 0."""
    digits = _digits(value)
    if value.lstrip().startswith(("+86", "0086", "＋86")):
        digits = digits.removeprefix("00").removeprefix("86")
        return digits if digits.startswith("0") else "0" + digits
    return digits


def _id(value: str) -> str:
    return _nfkc("".join(c for c in _nfkc(value).upper() if c.isalnum()))


def _mail(value: str) -> str:
    return _nfkc("".join(_nfkc(value).lower().split()))


def _text(value: str) -> str:
    return _nfkc("".join(_nfkc(value).split()))  # what a blank kept apart may compose


def _coordinate(value: str) -> str:
    """`lat,lon`: the two numbers of a pair or of two named fields; swapped where only the other order can be."""
    numbers = _NUMBER.findall(_nfkc(value))
    if len(numbers) != 2:
        return _text(value)
    one, two = (number.lstrip("+") for number in numbers)
    first, second = float(one), float(two)
    swapped = abs(first) > 90 or (73 <= first <= 136 and 3 <= second <= 54)  # the box of China, read lon,lat
    return f"{two},{one}" if swapped else f"{one},{two}"


# --- masks -------------------------------------------------------------------------------------------------------


def _keep(value: str, head: int, tail: int) -> str:
    """Stars for everything but the first `head` and last `tail` characters; all stars where less than 3 would hide."""
    hidden = len(value) - head - tail
    if hidden < 3:
        return "*" * len(value)
    return value[:head] + "*" * hidden + value[len(value) - tail :]


def _mask_id(value: str) -> str:
    """`110105********002X`, `110105******002`: region and the end, the birth date hidden."""
    plain = _id(value)
    return _keep(plain, 6, 4 if len(plain) > 15 else 3)


def _mask_mobile(value: str) -> str:
    return _keep(_mobile(value), 3, 4)


def _mask_landline(value: str) -> str:
    plain = _landline(value)
    area = 3 if plain[:2] in {"01", "02"} or plain[:3] in {"400", "800"} else 4
    return _keep(plain, area, 4) if len(plain) - area >= 7 else _keep(plain, 0, 4)


def _mask_card(value: str) -> str:
    return _keep(_digits(value), 6, 4)


def _mask_mail(value: str) -> str:
    local, at, host = _mail(value).rpartition("@")
    if not at:
        return _HIDDEN
    if len(local) < 3:
        return f"{local[:1] if len(local) == 2 else ''}{_STARS}@{host}"
    return f"{local[0]}{_STARS}{local[-1]}@{host}"


def _mask_name(value: str) -> str:
    """`张*`, `欧***` for a name of four characters: the first character of each word; one star each for the rest."""
    words = _nfkc(value).split()
    if sum(map(len, words)) <= 1:
        return "*"
    return " ".join(word[0] + "*" * (len(word) - 1) for word in words)


def _mask_middle(value: str) -> str:
    plain = _id(value) or _text(value)
    side = 3 if len(plain) >= 12 else 2 if len(plain) >= 8 else 1
    return _keep(plain, side, side)


def _mask_hkid(value: str) -> str:
    """`A12****(3)`: letters, two digits, check character in its customary brackets."""
    plain = _id(value)
    letters = len(plain) - len(plain.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    if not 8 <= len(plain) <= 9 or letters not in {1, 2}:
        return "*" * len(plain)
    return f"{plain[: letters + 2]}****({plain[-1]})"


def _mask_tail(value: str) -> str:
    plain = _id(value)
    return _keep(plain, 0, 4)


def _mask_iban(value: str) -> str:
    return _keep(_id(value), 4, 4)


def _mask_vin(value: str) -> str:
    """Maker (first three) and the end of the serial number."""
    return _keep(_id(value), 3, 4)


def _mask_plate(value: str) -> str:
    return _keep(_id(value), 2, 2)


def _mask_mrz(value: str) -> str:
    """Document kind and issuing state."""
    plain = _text(value).upper()
    return plain[:5] + _HIDDEN if plain[:1] in "PIACV" and len(plain) >= 60 else _HIDDEN


def _mask_coordinate(value: str) -> str:
    """Two decimals (about one kilometre) stay, further digits are starred: `31.07****,104.55****`."""
    shown = []
    for part in _coordinate(value).split(","):
        whole, dot, decimals = part.partition(".")
        shown.append(f"{whole}{dot}{decimals[:2]}{'*' * len(decimals[2:])}" if len(decimals) > 2 else _HIDDEN)
    return ",".join(shown)


def _mask_key(value: str) -> str:
    """Key identifiers and tokens: the four characters that name the issuer, and the last four."""
    plain = _text(value)
    return f"{plain[:4]}{'*' * 12}{plain[-4:]}" if len(plain) >= 16 else _HIDDEN


def _mask_secret(value: str) -> str:
    """Passwords: length hidden; two first and the last character only where at least six others stay unknown."""
    plain = _text(value)
    return f"{plain[:2]}{_HIDDEN}{plain[-1]}" if len(plain) >= 9 else _HIDDEN


def _mask_pem(value: str) -> str:
    """Header and footer lines stay, key material is starred."""
    plain = _text(value)
    found = _PEM.match(plain)
    if found is None:
        return _HIDDEN
    label = f"{found[1]} PRIVATE KEY{' BLOCK' if found[2] else ''}".lstrip()
    material, end, _label = plain[found.end() :].partition("-----END")
    size = min(len(material.replace("\\n", "").replace("\\r", "")), _PEM_STARS)
    return f"-----BEGIN {label}-----{'*' * size}{f'-----END {label}-----' if end else ''}"


def _mask_dsn(value: str) -> str:
    """`postgres://****:****@db.example.com`: scheme and host stay; user, password, path and query do not."""
    scheme, mark, rest = _text(value).partition("://")
    login, at, place = rest.rpartition("@")
    if not mark or not at or not login:
        return _HIDDEN
    host = place.partition("/")[0].partition("?")[0]
    return f"{scheme}://****:****@{host}"


def _plain(value: str) -> str:
    """Markings and keywords are printed on documents for all to see; they name nobody."""
    return " ".join(_nfkc(value).split())


CANONICAL_FORMS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "coordinate": _coordinate,
        "digits": _digits,
        "id": _id,
        "landline": _landline,
        "mail": _mail,
        "mobile": _mobile,
        "text": _text,
    }
)
MASK_FORMS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "card": _mask_card,
        "coordinate": _mask_coordinate,
        "dsn": _mask_dsn,
        "hkid": _mask_hkid,
        "iban": _mask_iban,
        "id": _mask_id,
        "key": _mask_key,
        "landline": _mask_landline,
        "mail": _mask_mail,
        "middle": _mask_middle,
        "mobile": _mask_mobile,
        "mrz": _mask_mrz,
        "name": _mask_name,
        "pem": _mask_pem,
        "plain": _plain,
        "plate": _mask_plate,
        "secret": _mask_secret,
        "tail": _mask_tail,
        "vin": _mask_vin,
    }
)


def mask(form: str, value: str) -> str:
    """Return what may be shown of `value`.

    Args:
        form: name in MASK_FORMS (`Entity.mask`).
        value: matched text or its canonical form.

    Returns:
        Text with stars; never the value itself, `plain` excepted.

    Raises:
        KeyError: no such form; packs are checked for it when they load.
    """
    return MASK_FORMS[form](value)


def canonical(form: str, value: str) -> str:
    """Return the one spelling under which a value is counted: raw, for `token` and validators only.

    Args:
        form: name in CANONICAL_FORMS (`Entity.canonical`): `digits` digits only; `mobile` digits, 86 dropped before a
            Chinese mobile number; `landline` digits, 86 replaced by 0; `id` upper case, letters and digits only;
            `mail` lower case; `coordinate` the pair `lat,lon`; `text` NFKC without blanks.
        value: matched text.

    Raises:
        KeyError: no such form.
    """
    return CANONICAL_FORMS[form](value)


def token(key: bytes, entity: str, canonical: str) -> str:
    """Keyed digest of a value: the same value and key give the same token, without the key it says nothing.

    Args:
        key: `privacy.token_key`, at least 16 bytes in production.
        entity: entity id; the same digits as a card and as a phone number get different tokens.
        canonical: what `canonical()` returned.

    Returns:
        64 lower-case hex digits: HMAC-SHA256 over UTF-8 `entity + ":" + canonical`.
    """
    text = f"{entity}:{canonical}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, text, hashlib.sha256).hex()
