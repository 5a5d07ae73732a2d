import hashlib
import itertools

import pytest

from tests.sensor.content.fakes import GAP, Desk, body
from tests.sensor.content.makers import zipped

DATA = bytes(range(65, 91)) * 10


def piece(part, first, last, total=260, data=None, **declared):
    content = DATA[first : last + 1] if data is None else data
    return list(body(content, part=part, span=(first, last, total), resource="h/f", name="f.bin", **declared))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_pieces_in_any_order_become_one_scan(order):
    pieces = [piece(0, 0, 99), piece(1, 90, 199), piece(2, 200, 259)]
    desk = Desk()
    results = desk.play(event for number in order for event in pieces[number])
    assert desk.texts() == {"http:request.body:joined": DATA}
    joined = results[-1]
    assert (joined.complete, joined.size, joined.sha256) == (True, len(DATA), hashlib.sha256(DATA).hexdigest())
    assert [row.scan for row in results[:-1]] == [None] * 3
    assert all(row.sha256 for row in results)


def test_one_piece_that_is_the_whole_is_one_result():
    desk = Desk()
    (result,) = desk.play(piece(0, 0, 259))
    assert (result.path, result.complete, desk.texts()) == ("http:request.body", True, {"http:request.body": DATA})


def test_what_never_completes_is_scanned_at_the_end_with_its_holes():
    desk = Desk()
    results = desk.play(piece(0, 10, 19) + piece(1, 30, 39))
    assert desk.texts() == {"http:request.body:joined": GAP + DATA[10:20] + GAP + DATA[30:40] + GAP}
    assert (results[-1].complete, results[-1].gap_bytes, results[-1].sha256) == (False, len(DATA) - 20, "")


def test_unknown_total_is_joined_at_the_end():
    desk = Desk()
    desk.play(piece(0, 0, 9, -1) + piece(1, 10, 19, -1))
    assert desk.texts() == {"http:request.body:joined": DATA[:20]}


def test_two_resources_do_not_mix():
    other = list(body(b"zz", part=7, span=(0, 1, 2), resource="h/g"))
    desk = Desk()
    desk.play(piece(0, 0, 99) + other + piece(1, 100, 259))
    assert desk.texts() == {"http:request.body": b"zz", "http:request.body:joined": DATA}


def test_joined_container_is_opened():
    data = zipped({"a.txt": b"inside"})
    half = len(data) // 2
    desk = Desk()
    desk.play(piece(0, 0, half - 1, len(data), data[:half]) + piece(1, half, len(data) - 1, len(data), data[half:]))
    assert desk.texts()["http:request.body:joined!a.txt"] == b"inside"


def test_more_bytes_than_the_span_are_scanned_with_the_piece():
    desk = Desk()
    results = desk.play(piece(0, 0, 9, data=DATA[:15]))
    assert desk.notes == ["range_disagrees"]
    assert desk.texts() == {"http:request.body": DATA[10:15], "http:request.body:joined": DATA[:10] + GAP}
    assert results[0].size == 15


def test_gap_in_a_piece_is_filled_by_another():
    events = list(body(DATA[:10], 10, DATA[20:], part=0, span=(0, 259, 260), resource="h/f"))
    desk = Desk()
    desk.play(events + piece(1, 10, 19))
    assert desk.texts() == {"http:request.body:joined": DATA}


def test_unknown_gap_ends_the_joining_of_a_piece():
    events = list(body(DATA[:10], -1, DATA[20:], part=0, span=(0, 259, 260), resource="h/f"))
    desk = Desk()
    desk.play(events)
    assert desk.texts() == {
        "http:request.body": GAP + DATA[20:],
        "http:request.body:joined": DATA[:10] + GAP,
    }


@pytest.mark.parametrize("span", [(5, 4, 10), (0, 10, 10), (-1, 3, 10)])
def test_nonsense_span_is_a_content_of_its_own(span):
    desk = Desk()
    desk.play(body(b"abc", span=span, resource="h/f"))
    assert desk.texts() == {"http:request.body": b"abc"}


@pytest.mark.parametrize(("most", "notes"), [(2, []), (1, ["range_not_joined"])])
def test_pieces_cap(most, notes):
    desk = Desk(range_pieces=most)
    desk.play(piece(0, 0, 99) + piece(1, 100, 259))
    assert desk.notes == notes
    assert sum(text.count(b"Z") for text in desk.texts().values()) == DATA.count(b"Z")


@pytest.mark.parametrize(("room", "notes"), [(260, []), (259, ["range_not_joined"])])
def test_spool_cap(room, notes):
    desk = Desk(spool_bytes=room)
    desk.play(piece(0, 0, 99) + piece(1, 100, 259))
    assert desk.notes == notes
    assert sum(text.count(b"Z") for text in desk.texts().values()) == DATA.count(b"Z")
