"""What a content is by its first bytes: our own small table, signatures strong enough to act on.

`kind` says what is done with it: `media` is compressed sound, picture, video or font, where no text can be found and
only the head (metadata) is searched; `closed` is an archive this sensor cannot open; `open` has a format module or is
searched as it is. Text is told apart only so far as the report needs a name for it.
"""

import codecs
from typing import Final, Literal

import msgspec

Kind = Literal["media", "closed", "open", "text"]


class Magic(msgspec.Struct, frozen=True):
    """A recognised type."""

    media_type: str
    kind: Kind


# signature at offset 0 → type; longest first where one begins another. Sources: the formats' own specifications.
_AT_START: Final[tuple[tuple[bytes, str, Kind], ...]] = (
    (b"\xff\xd8\xff", "image/jpeg", "media"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "media"),
    (b"GIF87a", "image/gif", "media"),
    (b"GIF89a", "image/gif", "media"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2", "media"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl", "media"),
    (b"8BPS\x00\x01", "image/vnd.adobe.photoshop", "media"),
    (b"\x1aE\xdf\xa3", "video/x-matroska", "media"),
    (b"FLV\x01", "video/x-flv", "media"),
    (b"OggS\x00", "application/ogg", "media"),
    (b"fLaC\x00", "audio/flac", "media"),
    (b"ID3\x02", "audio/mpeg", "media"),
    (b"ID3\x03", "audio/mpeg", "media"),
    (b"ID3\x04", "audio/mpeg", "media"),
    (b"#!AMR\n", "audio/amr", "media"),
    (b"#!AMR-WB\n", "audio/amr-wb", "media"),
    (b"#!SILK_V3", "audio/silk", "media"),
    (b"\x02#!SILK_V3", "audio/silk", "media"),
    (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\x00\xaa\x00b\xcel", "video/x-ms-asf", "media"),
    (b"wOFF", "font/woff", "media"),
    (b"wOF2", "font/woff2", "media"),
    (b"OTTO\x00", "font/otf", "media"),
    (b"PK\x03\x04", "application/zip", "open"),
    (b"PK\x05\x06", "application/zip", "open"),
    (b"%PDF-", "application/pdf", "open"),
    (b"\x1f\x8b\x08", "application/gzip", "open"),
    (b"BZh", "application/x-bzip2", "open"),
    (b"\xfd7zXZ\x00", "application/x-xz", "open"),
    (b"(\xb5/\xfd", "application/zstd", "open"),
    (b"7z\xbc\xaf'\x1c", "application/x-7z-compressed", "closed"),
    (b"Rar!\x1a\x07", "application/vnd.rar", "closed"),
    (b"MSCF\x00\x00\x00\x00", "application/vnd.ms-cab-compressed", "closed"),
    (b'\x04"M\x18', "application/x-lz4", "closed"),
    (b"LZIP\x01", "application/lzip", "closed"),
    (b"\x1f\x9d", "application/x-compress", "closed"),
    (b"\x1f\xa0", "application/x-compress", "closed"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage", "open"),
    (b"\x7fELF", "application/x-executable", "open"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3", "open"),
    (b"PAR1", "application/vnd.apache.parquet", "open"),
    (b"ARROW1\x00\x00", "application/vnd.apache.arrow.file", "open"),
    (b"GGUF", "application/x-gguf", "open"),
    (b"{\\rtf", "application/rtf", "text"),
)
_BY_BYTE: Final[dict[int, tuple[tuple[bytes, str, Kind], ...]]] = {
    byte: tuple(row for row in _AT_START if row[0][0] == byte) for byte in {row[0][0] for row in _AT_START}
}
# RIFF and ISO base media carry their type behind a length
_RIFF: Final = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}
_TEXTUAL: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_TEXT_SHARE: Final = 0.95  # this share of plain characters in the head contradicts compressed media
_TEXT_MIN: Final = 256  # … judged from this many bytes on


def detect(head: bytes) -> Magic | None:
    """Type of a content from its first bytes (4 KiB are enough), or None when nothing is sure."""
    if not head:
        return None
    for signature, media_type, kind in _BY_BYTE.get(head[0], ()):
        if head.startswith(signature):
            return _unless_textual(head, media_type, kind)
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _unless_textual(head, _RIFF[head[8:12]], "media")
    if head[4:8] == b"ftyp" and head[:2] == b"\0\0":
        image = head[8:12] in {b"heic", b"heix", b"mif1", b"avif"}
        return _unless_textual(head, "image/heif" if image else "video/mp4", "media")
    if head[257:262] == b"ustar":
        return Magic("application/x-tar", "open")
    if head[:1] == b"G" and len(head) > 376 and head[188] == head[376] == 0x47:
        return _unless_textual(head, "video/mp2t", "media")
    if head[:2] in {b"\xff\xfb", b"\xff\xf3"} and b"\0" in head[:512]:
        return _unless_textual(head, "audio/mpeg", "media")
    return _text(head)


def _unless_textual(head: bytes, media_type: str, kind: Kind) -> Magic | None:
    """A media signature before plain text is a disguise: such a content is searched."""
    if kind == "media" and len(head) >= _TEXT_MIN:
        plain = len(head) - len(head.translate(None, _TEXTUAL))
        if plain > _TEXT_SHARE * len(head):
            return Magic("text/plain", "text")
    return Magic(media_type, kind)


def _text(head: bytes) -> Magic | None:
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return Magic("text/plain", "text")
    if b"\0" in head:
        return None
    start = head[:512].removeprefix(b"\xef\xbb\xbf").lstrip()[:64]
    lower = start.lower()
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return Magic("text/html", "text")
    if lower.startswith(b"<?xml") or (start[:1] == b"<" and start[1:2].isalpha()):
        return Magic("image/svg+xml" if b"<svg" in head else "application/xml", "text")
    if start[:1] in {b"{", b"["} and b'"' in head:
        return Magic("application/json", "text")
    rest = head[:512].translate(None, _TEXTUAL)
    if any(byte < 0x20 for byte in rest):
        return None
    try:
        codecs.utf_8_decode(head[:512], "strict", False)
    except UnicodeDecodeError:
        return None
    return Magic("text/plain", "text")
