"""Secrets: passwords in text, connection strings, signed tokens, keys. Form only: whether a secret works is not asked.

Passwords answer `yes` where a value can hardly be anything else (letters with digits or signs), `no` for placeholders,
variables, code and plain words, `unsure` for digits alone.
"""

import base64
import binascii
import json
import re

from detectors.model import Verdict
from detectors.validators import Validator

# What stands where a password would stand, in forms, examples and logs.
_PLACEHOLDERS = frozenset(
    (  # noqa: SIM905 - a word list reads better as words
        "password passwd pwd pass passphrase secret changeme changeit change_me yourpassword your_password mypassword "
        "your-password example sample string text hidden required optional null none nil undefined true false empty "
        "default input value field type label placeholder username user email token redacted masked removed encrypted "
        "xxx xxxx password123 new_password newpassword old_password oldpassword confirm_password confirmpassword"
    ).split()
)
_CODE = re.compile(
    r".*(?:\(|\)|\$\{|\{\{|\}\}|<%|%>|=>|\[\]|::|->).*|[<$%#@][{(<]?[A-Za-z_][A-Za-z0-9_.:-]*[>%)}]?"
    r"|(?:this|self|window|document|process|os|env|config|request|req|args|params|data|form|user|options|settings)"
    r"[.\[].*|[a-z]+(?:[A-Z][a-z]+)+|[a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+",
    re.ASCII | re.DOTALL,
)
_BREAK = re.compile(r"(?:\\[rn]|\s)+")
_MASKED = re.compile(r"(.)\1*|.*(?:\*{3}|•{3}|\.{3}|…).*", re.DOTALL)


def check_password(text: str) -> Verdict:
    """A password, judged by its own characters."""
    if not 4 <= len(text) <= 128 or text.lower() in _PLACEHOLDERS or _MASKED.fullmatch(text) or _CODE.fullmatch(text):
        return "no"
    if text.isdigit():
        return "unsure" if 6 <= len(text) <= 16 else "no"
    if text.isalpha():
        return "no"
    return "yes" if len(text) >= 6 and any(c.isalpha() for c in text) else "unsure"


def check_dsn(text: str) -> Verdict:
    """`scheme://user:password@host`: the password must be one."""
    _scheme, mark, rest = text.partition("://")
    login, at, host = rest.rpartition("@")
    user, colon, password = login.partition(":")
    if not mark or not at or not colon or not host or not user + password:
        return "no"
    low = password.lower()
    if low in _PLACEHOLDERS or _MASKED.fullmatch(password) or any(sign in password for sign in ("${", "{{", "<", "%(")):
        return "no"
    return "no" if not password else "yes"


def check_jwt(text: str) -> Verdict:
    """RFC 7519: the first part is a JSON object that names an algorithm."""
    head = text.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return "no"
    return "yes" if isinstance(header, dict) and isinstance(header.get("alg"), str) else "no"


def check_key(text: str) -> Verdict:
    """Issued key identifiers and tokens: not a run of one character, not a specimen."""
    low = text.lower()
    if "example" in low or "xxxx" in low or "your" in low or len(set(low)) < 8:
        return "no"
    return "yes"


def check_pem(text: str) -> Verdict:
    """RFC 7468: a private key header with base64 of 32 characters or more behind it; the header alone is code."""
    _before, mark, behind = text.partition("KEY-----")
    if not mark:
        _before, mark, behind = text.partition("KEY BLOCK-----")
    material = _BREAK.sub("", behind.partition("-----END")[0])
    return "yes" if mark and "PRIVATE" in text and len(material) >= 32 and len(set(material)) > 8 else "no"


VALIDATORS = (
    Validator("password", check_password, "placeholders, variables, code and plain words refused"),
    Validator("dsn", check_dsn, "RFC 3986 user information with a password that is no placeholder"),
    Validator("jwt", check_jwt, "RFC 7519: header is a JSON object with `alg`"),
    Validator("key", check_key, "specimens and runs refused"),
    Validator("pem", check_pem, "RFC 7468: private key header, base64 behind it"),
)
