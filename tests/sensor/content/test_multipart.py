import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.content.multipart import Splitter
from tests.sensor.content.fakes import Desk, body, cuts
from tests.sensor.content.makers import form, zipped

CASES = {
    "two parts": (
        b"--b\r\nA: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
        [(b"A: 1\r", b"one", True), (b"", b"two", True)],
        b"\r\n",
    ),
    "bare LF": (b"--b\nA: 1\n\none\n--b--\n", [(b"A: 1", b"one", True)], b"\n"),
    "preamble and epilogue": (b"pre\r\n--b\r\n\r\nx\r\n--b--\r\npost", [(b"", b"x", True)], b"pre\r\npost"),
    "blanks after the boundary": (b"--b  \t\r\n\r\nx\r\n--b--", [(b"", b"x", True)], b""),
    "longer boundary is data": (
        b"--b\r\n\r\nx\r\n--bc\r\ny\r\n--b-\r\nz\r\n--b--",
        [(b"", b"x\r\n--bc\r\ny\r\n--b-\r\nz", True)],
        b"",
    ),
    "empty part": (b"--b\r\n\r\n\r\n--b--", [(b"", b"", True)], b""),
    "empty part, delimiter at once": (b"--b\r\nA: 1\r\n\r\n--b--", [(b"A: 1\r", b"", True)], b""),
    "no close delimiter": (b"--b\r\n\r\nabc", [(b"", b"abc", False)], b""),
    "cut off inside the last delimiter": (b"--b\r\n\r\nabc\r\n--b", [(b"", b"abc", False)], b""),
    "cut off in the header block": (b"--b\r\nA: 1", [(b"", b"A: 1", False)], b""),
    "no delimiter at all": (b"nothing here", [], b"nothing here"),
    "data with dashes": (b"--b\r\n\r\n--\r\n-\r\n--a\r\n--b--", [(b"", b"--\r\n-\r\n--a", True)], b""),
    "header block too long": (b"--b\r\n" + b"A" * 40 + b"\r\n--b--", [(b"", b"A" * 40, True)], b""),
}


def split(pieces, head_bytes=32):
    parts, outside, notes = [], bytearray(), []

    def data(piece):
        assert piece
        parts[-1][1].extend(piece)

    def end(complete):
        parts[-1][2] = complete

    splitter = Splitter(
        b"b",
        head_bytes,
        lambda block: parts.append([block, bytearray(), None]),
        data,
        end,
        outside.extend,
        lambda: notes.append(1),
    )
    for piece in pieces:
        splitter.feed(piece)
    splitter.close()
    return [(block, bytes(content), complete) for block, content, complete in parts], bytes(outside), len(notes)


@pytest.mark.parametrize("name", CASES)
def test_parts(name):
    wire, parts, outside = CASES[name]
    assert split([wire]) == (parts, outside, int(name == "header block too long"))
    assert split([wire[at : at + 1] for at in range(len(wire))]) == split([wire])


@pytest.mark.property
@given(
    wire=st.lists(
        st.sampled_from([b"--b", b"\r\n", b"\n", b"\r", b"-", b"--", b"b", b"x", b": ", b" "]), max_size=30
    ).map(b"".join),
    places=st.lists(st.integers(0, 500), max_size=5),
)
@settings(max_examples=300, deadline=None)
def test_split_law_and_no_byte_lost(wire, places):
    whole = split([wire])
    assert split(cuts(wire, places)) == whole
    parts, outside, _ = whole
    if b"--b" not in wire:
        assert (parts, outside) == ([], wire)


def test_head_cap_is_the_lines_not_the_buffers():
    for extra, notes in ((0, 0), (1, 1)):
        head = b"A" * (26 + extra)  # with CR LF CR LF: 30 and 31
        wire = b"--b\r\n" + head + b"\r\n\r\nx\r\n--b--"
        assert split([wire], 30)[2] == notes
        assert split([bytes((byte,)) for byte in wire], 30) == split([wire], 30)


def test_form_with_files_and_fields():
    wire = form(
        (b'Content-Disposition: form-data; name="name"', "张三".encode()),
        (b'Content-Disposition: form-data; name="mobile"', b"13800138000"),
        (b'Content-Disposition: form-data; name="json"', b'{"a": 1}'),
        (
            b'Content-Disposition: form-data; name="up"; filename="a.csv"\r\nContent-Type: text/csv; charset=GBK',
            "张三".encode("gbk"),
        ),
        (b'Content-Disposition: form-data; name="long"', b"x" * 2000),
    )
    desk = Desk()
    results = desk.play(body(wire, boundary="XyZ", media_type="multipart/form-data"))
    texts = desk.texts()
    assert texts == {
        "http:request.body": b"\r\n",
        "http:request.body/multipart:field=json": b'{"a": 1}',
        "http:request.body/multipart:file=a.csv": "张三".encode("gbk"),
        "http:request.body/multipart:field=long": b"x" * 2000,
        "http:request.body/multipart:fields": '{"name": "张三",\n"mobile": "13800138000"}'.encode(),
    }
    by_path = {row.path.rpartition(":")[2]: row for row in results}
    assert by_path["request.body"].members == 5
    assert by_path["request.body"].sha256
    file = by_path["file=a.csv"]
    assert (file.name, file.media_type, file.is_field, bool(file.sha256)) == ("a.csv", "text/csv", False, True)
    assert by_path["fields"].is_field
    assert not by_path["field=long"].sha256
    hints = {scan.hint.where: scan.hint for scan in desk.scans}
    assert hints["http:request.body/multipart:file=a.csv"].charset == "gbk"


def test_base64_part_is_decoded_and_opened():
    data = base64.encodebytes(zipped({"in.txt": b"inside"}))
    head = b'Content-Disposition: attachment; filename="a.zip"\r\nContent-Transfer-Encoding: BASE64'
    desk = Desk()
    desk.play(body(form((head, data)), boundary="XyZ"))
    assert desk.texts()["http:request.body/multipart:file=a.zip!in.txt"] == b"inside"


def test_multipart_in_multipart():
    inner = form((b'Content-Disposition: file; filename="deep.txt"', b"deep"), boundary="in")
    wire = form((b'Content-Disposition: form-data; name="files"\r\nContent-Type: multipart/mixed; boundary=in', inner))
    desk = Desk()
    desk.play(body(wire, boundary="XyZ"))
    assert desk.texts()["http:request.body/multipart:part=1/multipart:file=deep.txt"] == b"deep"


def test_wrong_boundary_is_said_and_the_body_scanned():
    wire = form((b"A: 1", b"secret"))
    desk = Desk()
    desk.play(body(wire, boundary="other"))
    assert desk.notes == ["multipart_no_delimiter"]
    assert desk.texts() == {"http:request.body": wire}


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_parts_cap(parts):
    desk = Desk(multipart_parts=3)
    wire = form(*[(b'Content-Disposition: file; filename="n"', b"x%d" % number) for number in range(parts)])
    desk.play(body(wire, boundary="XyZ"))
    assert desk.notes == (["multipart_too_many_parts"] if parts > 3 else [])
    assert b"".join(desk.texts().values()).replace(b"\r\n", b"") == b"".join(b"x%d" % n for n in range(parts))


def test_parts_beyond_the_cap_are_scanned_as_one():
    desk = Desk(multipart_parts=1)
    wire = form(*[(b'Content-Disposition: file; filename="n"', b"x%d" % number) for number in range(4)])
    desk.play(body(wire, boundary="XyZ"))
    rest = desk.texts()["http:request.body/multipart:rest"]
    assert rest.count(b"x") == 3


@pytest.mark.parametrize(("most", "records"), [(12, 1), (11, 2)])
def test_fields_cap(most, records):
    desk = Desk(multipart_fields_bytes=most)
    wire = form(*[(b'Content-Disposition: form-data; name="n"', b"12345")] * 2)
    results = desk.play(body(wire, boundary="XyZ"))
    assert [row.path for row in results].count("http:request.body/multipart:fields") == records
    assert desk.notes == (["multipart_fields_flushed"] if records > 1 else [])


def test_gap_in_a_file_part():
    wire = form(
        (b'Content-Disposition: file; filename="n"', b"abcdef"), (b'Content-Disposition: file; filename="m"', b"ok")
    )
    at = wire.index(b"cd")
    desk = Desk()
    rows = {row.name: row for row in desk.play(body(wire[:at], 2, wire[at + 2 :], boundary="XyZ"))}
    assert desk.texts()["http:request.body/multipart:file=n"] == b"ab<GAP>ef"
    assert (rows["n"].complete, rows["n"].gap_bytes, rows["m"].complete) == (False, 2, True)


@pytest.mark.parametrize(("most", "notes"), [(25, ["multipart_head_too_long"]), (26, [])])
def test_header_block_cap_searches_it_as_data(most, notes):
    head = b"A: 13800138000 and so"  # with CR LF CR LF: 25 + 1 for the line end before
    wire = form((head + b"x", b"data"))
    desk = Desk(multipart_head_bytes=most)
    desk.play(body(wire, boundary="XyZ"))
    assert desk.notes == notes
    text = desk.texts()["http:request.body/multipart:part=1"]
    assert (head in text) is bool(notes)
    assert text.endswith(b"data")
