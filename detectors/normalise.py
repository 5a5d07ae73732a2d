"""Escapes and look-alike characters undone: JSON, percent, HTML entities, quoted-printable, full width, zero width.

In: a View in UTF-8. Out: a View without them. Each rule looks for its marker first; a text without markers is handed
back as it is. Order (transport before text): escapes, percent (up to three rounds, UTF-8 or GBK), entities,
quoted-printable, then Unicode folding.
"""

import re
from typing import Final

from detectors.view import View, rewrite

_JSON: Final = re.compile(rb"(?:\\{1,2}u[0-9a-fA-F]{4})+")
_JSON_UNIT: Final = re.compile(rb"u([0-9a-fA-F]{4})")
_HEX: Final = re.compile(rb"(?:\\{1,2}x[0-9a-fA-F]{2})+")
_OCTAL: Final = re.compile(rb"(?:\\[0-3][0-7]{2}){2,}")
_PERCENT: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_PERCENT_U: Final = re.compile(rb"(?:%u[0-9A-Fa-f]{4})+")
_ENTITY: Final = re.compile(rb"(?:&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos|nbsp);)+")
_ENTITY_ONE: Final = re.compile(rb"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,4}));")
_NAMED: Final = {b"amp": 38, b"lt": 60, b"gt": 62, b"quot": 34, b"apos": 39, b"nbsp": 32}
_QP_MARK: Final = re.compile(rb"=[89A-F][0-9A-F]=[0-9A-F]{2}|=\r?\n")
_QP: Final = re.compile(rb"(?:=[89A-F][0-9A-F]|=\r?\n|(?<=[0-9A-F]{2})=[0-9A-F]{2}|=3D|=20)+")
_WIDE: Final = re.compile(rb"(?:\xef\xbc[\x8b\x8d\x8e\x90-\x99\xa0-\xba\xbf]|\xef\xbd[\x81-\x9a])+")
_WIDE_MARK: Final = re.compile(rb"\xef\xbc[\x90-\x99\xa0-\xba]|\xef\xbd[\x81-\x9a]")
_ZERO: Final = rb"(?:\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81\xa0|\xef\xbb\xbf|\xc2\xad|\xef\xb8[\x80-\x8f])"
_INVISIBLE: Final = re.compile(rb"(?<=[0-9A-Za-z@.])" + _ZERO + rb"+(?=[0-9A-Za-z@.])")
_GAP: Final = re.compile(rb"(?<=[0-9])(?:\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe3\x80\x80)(?=[0-9])")
_DASH: Final = re.compile(rb"(?<=[0-9])(?:\xe2\x80[\x90-\x95]|\xe2\x88\x92)(?=[0-9])")
_MATH: Final = re.compile(rb"(?:\xf0\x9d\x9f[\x8e-\xbf])+")
# What calls for folding at all: any hit of this, with the engine or with `re`.
FOLD_MARKS: Final = (
    rb"\xef\xbc[\x90-\x99\xa0-\xba]",
    rb"\xef\xbd[\x81-\x9a]",
    rb"[0-9A-Za-z@.]" + _ZERO,
    rb"[0-9](?:\xc2\xa0|\xe2\x80[\x80-\x8a\xaf\x90-\x95]|\xe2\x88\x92|\xe3\x80\x80)[0-9]",
    rb"\xf0\x9d\x9f[\x8e-\xbf]",
)


def _units(piece: bytes) -> bytes:
    codes = b"".join(int(code, 16).to_bytes(2, "big") for code in _JSON_UNIT.findall(piece))
    return codes.decode("utf-16-be", "surrogatepass").encode("utf-8", "replace")


def _octets(data: bytes) -> bytes:
    """Bytes that were escaped one by one: UTF-8, or else GB18030."""
    if data.isascii():
        return data
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace").encode("utf-8")
    return data


def _unhex(piece: bytes) -> bytes:
    return _octets(bytes.fromhex(piece.replace(b"\\", b"").replace(b"x", b"").decode("ascii")))


def _unoctal(piece: bytes) -> bytes:
    data = bytes(int(code, 8) for code in piece.split(b"\\")[1:])
    return _octets(data) if data.isascii() is False else piece


def _unpercent(piece: bytes) -> bytes:
    return _octets(bytes.fromhex(piece.replace(b"%", b"").decode("ascii")))


def _entity(match: re.Match[bytes]) -> bytes:
    decimal, hexadecimal, name = match.groups()
    code = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else _NAMED.get(name, 0xFFFD)
    return chr(code).encode("utf-8", "replace") if 0 < code < 0x110000 else b"\xef\xbf\xbd"


def _entities(piece: bytes) -> bytes:
    return _ENTITY_ONE.sub(_entity, piece)


def _quoted(piece: bytes) -> bytes:
    joined = piece.replace(b"=\r\n", b"").replace(b"=\n", b"")
    return _octets(bytes.fromhex(joined.replace(b"=", b"").decode("ascii")))


def _narrow(piece: bytes) -> bytes:
    return bytes(piece[i + 2] - 0x60 if piece[i + 1] == 0xBC else piece[i + 2] - 0x20 for i in range(0, len(piece), 3))


def _math(piece: bytes) -> bytes:
    return bytes(48 + (piece[i + 3] - 0x8E) % 10 for i in range(0, len(piece), 4))


def _nothing(_piece: bytes) -> bytes:
    return b""


def _space(_piece: bytes) -> bytes:
    return b" "


def _dash(_piece: bytes) -> bytes:
    return b"-"


def unescape(view: View, *, mail: bool) -> View:
    """Escapes undone.

    Args:
        view: UTF-8 text.
        mail: the content may be quoted-printable (mail, or nothing known of it).
    """
    if b"\\" in view.text:
        view = rewrite(view, _JSON, _units, "json-escape")
        view = rewrite(view, _HEX, _unhex, "c-escape")
        view = rewrite(view, _OCTAL, _unoctal, "c-escape")
    for _ in range(3):
        if b"%" not in view.text:
            break
        before = view
        view = rewrite(view, _PERCENT, _unpercent, "percent")
        view = rewrite(view, _PERCENT_U, _units, "percent")
        if view is before:
            break
    if b"&" in view.text:
        view = rewrite(view, _ENTITY, _entities, "html-entity")
    if mail and b"=" in view.text and _QP_MARK.search(view.text):
        view = rewrite(view, _QP, _quoted, "quoted-printable")
    return view


def fold(view: View) -> View:
    """Full-width, mathematical and separated digits in their plain form; invisible characters inside values gone."""
    if _WIDE_MARK.search(view.text):
        view = rewrite(view, _WIDE, _narrow, "full-width")
    view = rewrite(view, _MATH, _math, "full-width")
    view = rewrite(view, _INVISIBLE, _nothing, "zero-width")
    view = rewrite(view, _GAP, _space, "separator")
    return rewrite(view, _DASH, _dash, "separator")
