import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sensor.content.fakes import Desk, body, unpacked
from tests.sensor.content.makers import zipped

SPACES = 'xmlns:office="o" xmlns:text="x" xmlns:table="t"'
CELL = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
CONTENT = (
    f"<office:document-content {SPACES}><text:p>Zhang <text:span>San</text:span></text:p><table:table><table:table-row>"
    + CELL.format("姓名")
    + CELL.format("手机")
    + "</table:table-row><table:table-row>"
    + CELL.format("张三")
    + CELL.format("138")
    + "</table:table-row></table:table></office:document-content>"
)
ODS = zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": CONTENT, "x.bin": b"raw"}, 0)
OFD = zipped(
    {
        "OFD.xml": "<ofd:OFD xmlns:ofd='o'/>",
        "Doc_0/Pages/Page_0/Content.xml": "<ofd:Page xmlns:ofd='o'><ofd:TextObject><ofd:TextCode X='1'>购买方 张三</ofd:TextCode>"
        "</ofd:TextObject><ofd:TextCode>13800138000</ofd:TextCode></ofd:Page>",
    }
)


def test_table_rows_and_paragraphs():
    members, refusals = unpacked("opendocument", ODS)
    lines = [line.strip() for line in members["content.xml"].decode().splitlines() if line.strip()]
    assert lines == ["Zhang San", "姓名 \t手机", "张三 \t138"]
    assert members["x.bin"] == b"raw"
    assert refusals == []


def test_ofd_text_codes_are_lines():
    desk = Desk()
    desk.play(body(OFD))
    path = "http:request.body!Doc_0/Pages/Page_0/Content.xml"
    assert desk.texts()[path].decode() == "购买方 张三\n13800138000\n"


@pytest.mark.parametrize(("room", "refused"), [(1 << 20, False), (60, True)])
def test_markup_cap(room, refused):
    names = {name for name, _ in unpacked("opendocument", ODS, opendocument_xml_bytes=room)[1]}
    assert ("opendocument_too_much" in names) is refused


@pytest.mark.property
@given(st.data())
@settings(max_examples=80, deadline=None)
def test_total_on_cut_and_flipped_files(data):
    wire = bytearray(data.draw(st.sampled_from([ODS, OFD])))
    for _ in range(data.draw(st.integers(0, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    unpacked("opendocument", bytes(wire[: data.draw(st.integers(4, len(wire)))]))


def test_broken_part_is_said_and_searched_raw():
    data = zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a><oops></a>13800138000"}, 0)
    members, refusals = unpacked("opendocument", data)
    assert refusals == [("opendocument_damaged", "content.xml")]
    assert b"13800138000" in members["content.xml"]
