"""Containers written by real writers (or, for office files and PDF, by hand), synthetic people only."""

import io
import struct
import tarfile
import zipfile
import zlib

ROWS = [["姓名", "身份证号", "手机"], ["张三", "11010519491231002X", "13800138000"], ["李四", "", "13900139000"]]


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


class _Forward(io.RawIOBase):
    """A file that cannot seek: zipfile then writes data descriptors behind the members."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


def streamed_zip(files, method=zipfile.ZIP_DEFLATED):
    out = _Forward()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return bytes(out.data)


def local_zip(name, data, *, flags=0, method=8):
    """One local header without a central directory, the name as raw bytes."""
    packed = data
    if method == 8:
        coder = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = coder.compress(data) + coder.flush()
    head = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 20, flags, method, 0, 0, zlib.crc32(data), len(packed), len(data), len(name), 0
    )
    return head + name + packed


def tarred(files, mode="w", form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:
        for name, data in files.items():
            row = tarfile.TarInfo(name)
            row.size = len(data)
            archive.addfile(row, io.BytesIO(data))
    return out.getvalue()


def column(number):
    return chr(65 + number)


def xlsx(rows=ROWS, *, shared=True, sheet="员工", strings_extra="", first="[Content_Types].xml"):
    strings = []
    lines = []
    for y, row in enumerate(rows, 1):
        cells = []
        for x, value in enumerate(row):
            at = f"{column(x)}{y}"
            if not value:
                continue
            if isinstance(value, int | float):
                cells.append(f'<c r="{at}"><v>{value!r}</v></c>')
            elif shared:
                if value not in strings:
                    strings.append(value)
                cells.append(f'<c r="{at}" t="s"><v>{strings.index(value)}</v></c>')
            else:
                cells.append(f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>')
        lines.append(f'<row r="{y}">{"".join(cells)}</row>')
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return zipped(
        {
            first: "<Types/>",
            "xl/workbook.xml": f'<workbook {space} xmlns:r="urn:r"><sheets><sheet name="{sheet}" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{''.join(lines)}</sheetData></worksheet>",
            "xl/sharedStrings.xml": f"<sst {space}>"
            + "".join(f"<si><t>{value}</t></si>" for value in strings)
            + strings_extra
            + "</sst>",
        }
    )


def docx(body, **files):
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f"<w:document {space}><w:body>{body}</w:body></w:document>",
            **files,
        }
    )


def pdf(*pages):
    """A PDF with one line of Latin text per page (an empty text makes a page without any)."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for line in pages:
        stream = f"BT /F1 12 Tf 72 700 Td ({line}) Tj ET" if line else "0 0 10 10 re f"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out = "%PDF-1.4\n"
    places = []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return out.encode("latin-1")


def form(*parts, boundary="XyZ"):
    """(headers, data) pairs as a multipart body."""
    out = b""
    for headers, data in parts:
        out += f"--{boundary}\r\n".encode() + headers + b"\r\n\r\n" + data + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()
