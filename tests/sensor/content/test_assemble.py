import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.model import PartClose, PartData, PartOpen
from tests.sensor.content.fakes import FORMATS, GAP, Desk, body, cuts
from tests.sensor.content.makers import docx, form, pdf, tarred, xlsx, zipped

PLAIN = "姓名,手机\n张三,13800138000\n".encode() * 400
PART = b'Content-Disposition: form-data; name="f"; filename="a.csv"'
BODIES = {
    "plain": (PLAIN, {}),
    "short": (b"hello", {}),
    "zip": (zipped({"a.csv": PLAIN, "b/c.txt": b"x" * 9000}), {}),
    "xlsx": (xlsx(), {}),
    "docx": (docx("<w:p><w:r><w:t>a</w:t></w:r></w:p>"), {}),
    "pdf": (pdf("Hello there", "Second"), {}),
    "tar": (tarred({"a": PLAIN}), {}),
    "tar.gz": (tarred({"a": PLAIN}, "w:gz"), {}),
    "media": (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 60, {}),
    "form": (
        form(
            (b'Content-Disposition: form-data; name="n"', b"v" * 20),
            (PART, PLAIN),
            (PART, zipped({"in.txt": b"inside"})),
            (b'Content-Disposition: form-data; name="long"', b"w" * 5000),
        ),
        {"boundary": "XyZ", "media_type": "multipart/form-data"},
    ),
}


def test_plain_body_is_scanned_and_hashed_over_all_slices():
    desk = Desk()
    (result,) = desk.play(body(PLAIN[:10], PLAIN[10:5000], PLAIN[5000:], media_type="text/csv", name="a.csv"))
    assert desk.texts() == {"http:request.body": PLAIN}
    assert (result.size, result.complete, result.media_type, result.name) == (len(PLAIN), True, "text/csv", "a.csv")
    assert result.sha256 == hashlib.sha256(PLAIN).hexdigest()
    assert result.md5 == hashlib.md5(PLAIN).hexdigest()
    assert result.sha1 == hashlib.sha1(PLAIN).hexdigest()
    assert result.scan.inspected_bytes == len(PLAIN)
    hint = desk.scans[0].hint
    assert (hint.media_type, hint.name, hint.is_field) == ("text/csv", "a.csv", False)


def test_without_digest_there_are_no_hashes_and_without_scan_no_scan():
    desk = Desk()
    (result,) = desk.play(body(PLAIN), scan=False, digest=False)
    assert (result.sha256, result.scan, result.size) == ("", None, len(PLAIN))
    assert not desk.scans


def test_container_is_not_opened_when_not_scanned_but_hashed():
    data = zipped({"a": b"b"})
    desk = Desk()
    (result,) = desk.play(body(data), scan=False)
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert result.detected_type == "application/zip"


def test_field_is_scanned_never_hashed_never_sniffed():
    desk = Desk()
    data = zipped({"a": b"b"})
    (result,) = desk.play(body(data, path="http:url", is_field=True))
    assert (result.is_field, result.sha256, desk.texts()) == (True, "", {"http:url": data})
    assert desk.scans[0].hint.is_field


def test_field_nobody_asked_for_leaves_nothing():
    desk = Desk()
    assert desk.play(body(b"x", 3, b"y", path="http:url", is_field=True), scan=False) == []


def test_gap_reaches_the_scanner_and_makes_the_content_incomplete():
    desk = Desk()
    (result,) = desk.play(body(b"abc", 7, b"def"))
    assert desk.texts() == {"http:request.body": b"abc" + GAP + b"def"}
    assert (result.complete, result.gap_bytes, result.size) == (False, 7, 6)


def test_gap_of_nothing_parts_values_but_loses_nothing():
    desk = Desk()
    (result,) = desk.play(body(b"abc", 0, b"def"))
    assert desk.texts() == {"http:request.body": b"abc" + GAP + b"def"}
    assert (result.complete, result.gap_bytes) == (True, 0)


def test_what_is_open_at_the_end_is_incomplete():
    desk = Desk()
    (result,) = desk.play([PartOpen(4, 1, 2, "http:response.body"), PartData(4, b"half")])
    assert (result.complete, result.direction, result.tx, result.size) == (False, 1, 2, 4)


def test_parts_may_interleave():
    desk = Desk()
    events = [PartOpen(1, 0, 0, "a"), PartOpen(2, 1, 0, "b")]
    events += [PartData(1, b"1"), PartData(2, b"2"), PartData(1, b"1"), PartClose(2, True), PartClose(1, True)]
    assert [row.path for row in desk.play(events)] == ["b", "a"]
    assert desk.texts() == {"a": b"11", "b": b"2"}


def test_bytes_of_a_part_that_is_not_open_are_counted():
    desk = Desk()
    assert desk.play([PartData(9, b"abc"), PartClose(9, True)]) == []
    assert desk.counters["drops_total", "part_not_open"] == 3


def test_part_opened_twice_gives_two_results():
    desk = Desk()
    events = [PartOpen(1, 0, 0, "a"), PartData(1, b"x"), *body(b"y", path="b")]
    assert [(row.path, row.complete) for row in desk.play(events)] == [("a", False), ("b", True)]


def test_media_is_skimmed_and_the_rest_counted():
    data = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100
    desk = Desk()
    (result,) = desk.play(body(data))
    assert desk.texts() == {"http:request.body": data[:4096]}
    assert result.skipped == (("media", len(data) - 4096),)
    assert result.scan.inspected_bytes + result.skipped[0][1] == len(data)


def test_closed_archive_is_scanned_raw_and_counted():
    data = b"Rar!\x1a\x07\x01\x00" + b"name.txt stored text" * 10
    desk = Desk()
    (result,) = desk.play(body(data))
    assert desk.texts() == {"http:request.body": data}
    assert result.skipped == (("archive_not_opened", len(data)),)
    assert desk.notes == ["archive_not_opened"]


@pytest.mark.parametrize("spare", [0, 1, -1])
def test_spool_cap_sends_the_raw_bytes_to_the_scanner(spare):
    data = zipped({"a.txt": b"stored text"}, 0)
    desk = Desk(spool_bytes=len(data) + spare)
    result = desk.play(body(data[:30], data[30:]))[0]
    if spare < 0:
        assert desk.texts() == {"http:request.body": data}
        assert result.skipped == (("spool_full", len(data)),)
        assert desk.notes == ["spool_full"]
    else:
        assert desk.texts()["http:request.body!a.txt"] == b"stored text"
        assert desk.notes == []


def outcome(data, pieces, declared, **overrides):
    desk = Desk(**overrides)
    results = desk.play(body(*pieces, **declared))
    assert sum(map(len, pieces)) == len(data)
    return [str(row) for row in results], desk.texts(), desk.notes


@pytest.mark.property
@pytest.mark.parametrize("name", BODIES)
@given(places=st.lists(st.integers(0, 1 << 30), max_size=6))
@settings(max_examples=15, deadline=None)
def test_split_law(name, places):
    data, declared = BODIES[name]
    assert outcome(data, cuts(data, places), declared) == outcome(data, [data], declared)


@pytest.mark.parametrize("name", ["short", "form", "xlsx"])
def test_split_law_byte_by_byte(name):
    data, declared = BODIES[name]
    assert outcome(data, [bytes((byte,)) for byte in data], declared) == outcome(data, [data], declared)


@pytest.mark.property
@pytest.mark.parametrize("name", BODIES)
@given(place=st.integers(0, 1 << 30), size=st.integers(-1, 3000))
@settings(max_examples=15, deadline=None)
def test_total_when_cut_off_or_holed(name, place, size):
    data, declared = BODIES[name]
    place %= len(data)
    (first, *_) = Desk().play(body(data[:place], complete=False, **declared))
    assert not first.complete
    assert first.size == place
    Desk().play(body(data[:place], size, data[place + max(size, 0) :], **declared))


@pytest.mark.property
@given(
    st.sampled_from([b"PK\x03\x04", b"%PDF-", b"\x1f\x8b\x08", b"BZh91AY&SY", b"(\xb5/\xfd", b"\xfd7zXZ\x00"]),
    st.binary(),
)
@settings(max_examples=60, deadline=None)
def test_total_on_junk_behind_a_signature(signature, junk):
    (first, *_) = Desk().play(body(signature + junk))
    assert first.size == len(signature + junk)


def test_formats_are_found():
    assert set(FORMATS) >= {"zip", "ooxml", "pdf", "compressed", "tar"}
