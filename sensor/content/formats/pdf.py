"""PDF (ISO 32000): the text of its pages, its attachments, its properties; read by PDFium.

PDFium is loaded on first use. A document that wants a password is refused; pages that hold pictures only are counted,
for there the sensor is blind (no OCR).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sensor.interfaces import AnomalyKind, FormatSpec, Member, Refusal
from sensor.limits import Limit

_REACH: Final = 1024  # readers accept the header within the first 1024 bytes (ISO 32000-1 annex H.3.4.1)
_PIECE: Final = 65536  # characters asked of a page at a time
_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD


def _magic(head: bytes, _media_type: str, _name: str) -> bool:
    return b"%PDF-" in head[:_REACH]


def _unpack(file: Any, limits: Mapping[str, int]) -> Iterator[Member | Refusal]:
    import pypdfium2  # noqa: PLC0415 - heavy, and few captures hold a PDF

    size = file.seek(0, 2)
    file.seek(0)
    try:
        document = pypdfium2.PdfDocument(file, autoclose=False)
    except pypdfium2.PdfiumError as refused:
        encrypted = getattr(refused, "err_code", None) == _PASSWORD or "assword" in str(refused)
        yield Refusal("pdf_encrypted", "", size=size) if encrypted else Refusal("pdf_damaged", "")
        return
    try:
        yield from _document(document, pypdfium2, limits)
    finally:
        document.close()


def _document(document: Any, pypdfium2: Any, limits: Mapping[str, int]) -> Iterator[Member | Refusal]:
    pages = len(document)
    most = limits["pdf_pages"]
    report = _Report()
    yield Member("text", _text(document, pypdfium2, min(pages, most), report), "text/plain", "utf-8", is_text=True)
    if pages > most:
        yield Refusal("pdf_too_many_pages", "text", f"{most} of {pages} pages were read")
    if report.damaged:
        yield Refusal("pdf_damaged", "text", f"{report.damaged} pages could not be read")
    if report.blank:
        yield Refusal("pdf_no_text", "text", f"{report.blank} pages hold no text")
    attached, most = _quietly(document.count_attachments, 0, pypdfium2), limits["pdf_attachments"]
    if attached > most:
        yield Refusal("pdf_too_many_pages", "", f"{most} of {attached} attachments were read")
    for number in range(min(attached, most)):
        attachment = _quietly(lambda n=number: document.get_attachment(n), None, pypdfium2)
        data = None if attachment is None else _quietly(attachment.get_data, None, pypdfium2)
        if data is None:
            yield Refusal("pdf_damaged", f"attachment {number + 1}")
            continue
        name = _quietly(attachment.get_name, "", pypdfium2) or f"attachment {number + 1}"
        yield Member(name, _cut(bytes(data)))


class _Report:
    """How the pages went."""

    def __init__(self) -> None:
        self.damaged = 0
        self.blank = 0


def _text(document: Any, pypdfium2: Any, pages: int, report: _Report) -> Iterator[bytes]:
    """Properties, then page by page, form feeds between."""
    for key, value in _quietly(document.get_metadata_dict, {}, pypdfium2).items():
        if value:
            yield f"{key}: {value}\n".encode("utf-8", "replace")
    for number in range(pages):
        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            report.damaged += 1
            continue
        try:
            textpage = page.get_textpage()
            try:
                count = textpage.count_chars()
                for start in range(0, count, _PIECE):
                    piece = textpage.get_text_range(start, min(_PIECE, count - start))
                    yield piece.replace("\r\n", "\n").encode("utf-8", "replace")
                report.blank += not count
            finally:
                textpage.close()
        except pypdfium2.PdfiumError:
            report.damaged += 1
        finally:
            page.close()
        yield b"\n\f\n"


def _quietly(call: Any, otherwise: Any, pypdfium2: Any) -> Any:
    try:
        return call()
    except (pypdfium2.PdfiumError, UnicodeError):
        return otherwise


def _cut(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


FORMAT = FormatSpec(
    name="pdf",
    magic=_magic,
    unpack=_unpack,
    specificity=10,
    limits=(
        Limit("pdf_pages", 5000, "count", "truncate", "pdf_too_many_pages", "Pages of one document that are read."),
        Limit("pdf_attachments", 256, "count", "truncate", "pdf_too_many_pages", "Attachments of one document opened."),
    ),
    anomalies=(
        AnomalyKind(
            "pdf_encrypted",
            "medium",
            "A PDF wants a password; its text cannot be read.",
            "Ask the sender; encrypted documents that leave are listed in the blind-spot table.",
        ),
        AnomalyKind(
            "pdf_damaged",
            "low",
            "A PDF or a page of it is cut off or broken; what could be read was searched.",
            "Look at the capture's loss counters; else the sender's file is broken.",
        ),
        AnomalyKind(
            "pdf_too_many_pages",
            "low",
            "A PDF has more pages or attachments than are read; the detail says how many were.",
            "Raise pdf_pages if such documents are usual here.",
        ),
        AnomalyKind(
            "pdf_no_text",
            "low",
            "Pages of a PDF hold no text: scanned paper or pictures, which the sensor cannot read.",
            "Look at the document; text recognition is not built in.",
        ),
    ),
    doc="PDF documents: text, properties, attached files.",
)
