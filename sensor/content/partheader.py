"""Header block of a MIME part: its type, charset, file name and transfer encoding (RFC 2045, 2183, 7578).

Lenient where senders are: names as raw UTF-8 or GB18030 bytes, RFC 2231 parameters, RFC 2047 words inside quotes,
percent escapes of browsers. Nothing raises.
"""

import email.errors
import email.header
import re
from typing import Final

import msgspec

_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:[ \t]*((?:[^\r\n]|\r?\n[ \t])*)")
_PARAMETER: Final = re.compile(
    rb';[ \t\r\n]*([^\s=;*"]+)(\*\d{1,3})?(\*)?[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL
)
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")


class PartHeader(msgspec.Struct, frozen=True):
    """What a part says of itself; every text empty where it says nothing."""

    field: str = ""
    file_name: str = ""
    media_type: str = ""
    charset: str = ""
    boundary: str = ""
    encoding: str = ""


def parse(block: bytes) -> PartHeader:
    """Read a header block (without its empty line)."""
    fields = {match[1].lower(): match[2] for match in _FIELD.finditer(block)}
    media_type, of_type = parameters(fields.get(b"content-type", b""))
    _, of_place = parameters(fields.get(b"content-disposition", b""))
    return PartHeader(
        field=of_place.get("name", ""),
        file_name=of_place.get("filename", "") or of_type.get("name", ""),
        media_type=media_type,
        charset=of_type.get("charset", "").lower(),
        boundary=of_type.get("boundary", ""),
        encoding=text(fields.get(b"content-transfer-encoding", b"")).strip().lower(),
    )


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """Main value in lower case, and the parameters by lower-case name (RFC 2231 continuations joined and decoded)."""
    value = _FOLD.sub(b" ", value)
    main = text(value.partition(b";")[0]).strip().lower()
    plain: dict[str, bytes] = {}
    pieces: dict[str, list[tuple[int, bool, bytes]]] = {}
    for match in _PARAMETER.finditer(value):
        name = match[1].decode("ascii", "replace").lower()
        raw = _unquote(match[4])
        if match[2] or match[3]:
            pieces.setdefault(name, []).append((int((match[2] or b"*0")[1:]), bool(match[3]), raw))
        else:
            plain.setdefault(name, raw)
    found = {name: _words(text(raw)) for name, raw in plain.items()}
    for name, rows in pieces.items():
        found[name] = _extended(sorted(rows, key=lambda row: row[0])) or found.get(name, "")
    return main, found


def text(raw: bytes, charset: str = "") -> str:
    """Bytes as text: UTF-8 if they are, else the declared charset, GB18030, and Latin-1, which takes everything."""
    for name in ("utf-8", charset, "gb18030"):
        if name:
            try:
                return raw.decode(name)
            except (UnicodeError, LookupError):
                continue
    return raw.decode("latin-1")


def _unquote(raw: bytes) -> bytes:
    raw = raw.strip()
    if raw[:1] != b'"':
        return raw
    # Only the two escapes that senders need: others are backslashes of a Windows path.
    return raw[1:].removesuffix(b'"').replace(b'\\"', b'"').replace(b"\\\\", b"\\").replace(b"%22", b'"')


def _extended(rows: list[tuple[int, bool, bytes]]) -> str:
    """`charset'language'percent-encoded` pieces in order (RFC 2231 sections 3 and 4)."""
    charset = ""
    whole = b""
    first = rows[0][2]
    if rows[0][1] and first.count(b"'") >= 2:
        name, _, rest = first.split(b"'", 2)
        charset = name.decode("ascii", "replace")
        rows[0] = (*rows[0][:2], rest)
    for _, encoded, raw in rows:
        whole += _PERCENT.sub(lambda match: bytes((int(match[1], 16),)), raw) if encoded else raw
    return text(whole, charset)


def _words(value: str) -> str:
    """RFC 2047 words, which mail programs put inside quotes although the RFC forbids it."""
    if "=?" not in value:
        return value
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (email.errors.HeaderParseError, ValueError, LookupError, UnicodeError):
        return value
