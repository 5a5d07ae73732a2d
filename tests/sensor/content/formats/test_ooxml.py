import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sensor.content.fakes import Desk, body, unpacked
from tests.sensor.content.makers import ROWS, docx, xlsx, zipped

TABLE = "姓名\t身份证号\t手机\n张三\t11010519491231002X\t13800138000\n李四\t\t13900139000\n".encode()


@pytest.mark.parametrize("shared", [True, False])
def test_sheet_by_its_name_with_cells_in_their_columns(shared):
    members, refusals = unpacked("ooxml", xlsx(shared=shared))
    assert members["员工"] == TABLE
    assert refusals == []


def test_numbers_as_people_see_them():
    members, _ = unpacked("ooxml", xlsx([["手机", 13800138000], ["x", 1.38001380001e10], ["y", 2.5]]))
    assert members["员工"].decode() == "手机\t13800138000\nx\t13800138000.1\ny\t2.5\n".replace(
        "13800138000.1", repr(1.38001380001e10)
    )


def test_docx_paragraphs_runs_and_tables():
    run = "<w:r><w:t>{}</w:t></w:r>"
    cell = "<w:tc><w:p>{}</w:p></w:tc>"
    text = (
        f"<w:p>{run.format('110105')}{run.format('19491231002X')}</w:p>"
        f"<w:tbl><w:tr>{cell.format(run.format('姓名'))}{cell.format(run.format('手机'))}</w:tr>"
        f"<w:tr>{cell.format(run.format('张三'))}{cell.format(run.format('138'))}</w:tr></w:tbl>"
        "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:delText>gone</w:delText></w:r>"
        "<wp:posOffset xmlns:wp='urn:wp'>12345</wp:posOffset></w:p>"
    )
    members, refusals = unpacked("ooxml", docx(text))
    assert members["word/document.xml"].decode() == "11010519491231002X\n姓名 \t手机 \n张三 \t138 \na\tb\ngone\n"
    assert refusals == []


def test_comments_headers_properties_and_embedded_files():
    inner = zipped({"in.txt": b"inside"})
    prose = '<x xmlns:w="urn:w"><w:p><w:r><w:t>{}</w:t></w:r></w:p></x>'
    data = docx(
        "",
        **{
            "word/comments.xml": prose.format("note"),
            "word/header1.xml": prose.format("head"),
            "docProps/core.xml": "<p><creator>Zhang San</creator><title>List</title></p>",
            "word/embeddings/a.zip": inner,
            "customXml/item1.xml": "<a>raw &amp; markup</a>",
        },
    )
    desk = Desk()
    desk.play(body(data, name="a.docx"))
    texts = {path.removeprefix("http:request.body!"): text for path, text in desk.texts().items()}
    assert texts["word/comments.xml"] == b"note\n"
    assert texts["word/header1.xml"] == b"head\n"
    assert texts["docProps/core.xml"] == b"Zhang San\nList\n\n"
    assert texts["word/embeddings/a.zip!in.txt"] == b"inside"
    assert texts["customXml/item1.xml"] == b"<a>raw &amp; markup</a>"


def test_slides():
    slide = (
        '<p:sld xmlns:p="urn:p" xmlns:a="urn:a"><a:p><a:r><a:t>Title</a:t></a:r></a:p>'
        "<a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>x</a:t></a:r></a:p></a:txBody></a:tc>"
        "<a:tc><a:txBody><a:p><a:r><a:t>y</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:sld>"
    )
    data = zipped({"[Content_Types].xml": "<Types/>", "ppt/slides/slide1.xml": slide})
    assert unpacked("ooxml", data)[0]["ppt/slides/slide1.xml"] == b"Title\nx \ty \n"


def test_entities_are_refused_and_the_rest_searched_as_it_is():
    evil = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x><t>&b;</t></x>'
    data = zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": evil})
    members, refusals = unpacked("ooxml", data)
    assert refusals == [("ooxml_damaged", "word/document.xml")]
    assert b"aaaaaaaaaaaaaaaaaaaa" not in members["word/document.xml"]
    assert b"&b;" in members["word/document.xml"]


def test_broken_sheet_is_read_as_far_as_it_goes_and_the_rest_raw():
    sheet = "<worksheet><sheetData><row><c t='inlineStr'><is><t>one</t></is></c></row><row><oops></row>13800138000"
    data = zipped({"[Content_Types].xml": "<Types/>", "xl/worksheets/sheet1.xml": sheet})
    members, refusals = unpacked("ooxml", data)
    assert members["xl/worksheets/sheet1.xml"].startswith(b"one\n")
    assert b"13800138000" in members["xl/worksheets/sheet1.xml"]
    assert refusals == [("ooxml_damaged", "xl/worksheets/sheet1.xml")]


def test_strings_cap_searches_them_without_rows():
    data = xlsx()
    whole = sum(len(value) + 64 for value in {value for row in ROWS for value in row if value})
    assert unpacked("ooxml", data, ooxml_strings_bytes=whole)[1] == []
    members, refusals = unpacked("ooxml", data, ooxml_strings_bytes=whole - 1)
    assert refusals == [("ooxml_strings_full", "")]
    assert "13900139000" in members["xl/sharedStrings.xml"].decode()


@pytest.mark.parametrize(("parts", "refused"), [(5, False), (4, True)])
def test_parts_cap(parts, refused):
    refusals = [name for name, _ in unpacked("ooxml", xlsx(), ooxml_parts=parts)[1]]
    assert ("ooxml_too_many_parts" in refusals) is refused


def test_markup_bomb_ends():
    sheet = b"<worksheet><sheetData>" + b"<row/>" * 400_000
    data = zipped({"[Content_Types].xml": "<Types/>", "xl/worksheets/sheet1.xml": sheet, "xl/z.xml": b"<z/>"})
    _, refusals = unpacked("ooxml", data, ooxml_xml_bytes=100_000)
    assert refusals == [("ooxml_damaged", "xl/worksheets/sheet1.xml"), ("ooxml_too_much", "xl/z.xml")]


def test_workbook_whose_first_entry_is_its_properties():
    desk = Desk()
    desk.play(body(xlsx(first="docProps/app.xml")))
    assert desk.texts()["http:request.body!员工"] == TABLE


@pytest.mark.property
@given(st.data())
@settings(max_examples=100, deadline=None)
def test_total_on_cut_and_flipped_files(data):
    wire = bytearray(data.draw(st.sampled_from([xlsx(), docx("<w:p><w:r><w:t>a</w:t></w:r></w:p>")])))
    for _ in range(data.draw(st.integers(0, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    unpacked("ooxml", bytes(wire[: data.draw(st.integers(4, len(wire)))]))
