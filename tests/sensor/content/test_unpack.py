import gzip

import pytest

from detectors.model import ScanResult
from sensor.content.result import ContentResult, add_scans
from sensor.interfaces import FormatSpec, Member
from tests.sensor.content.fakes import FORMATS, Desk, body
from tests.sensor.content.makers import tarred, zipped


def test_members_carry_path_depth_and_hash():
    inner = zipped({"deep/c.txt": b"ccc"})
    data = gzip.compress(tarred({"dir/in.zip": inner, "b.txt": b"bbb"}), mtime=0)
    desk = Desk()
    results = desk.play(body(data, name="all.tar.gz"))
    rows = [(row.path.removeprefix("http:request.body"), row.name, row.depth, row.members) for row in results]
    assert rows == [
        ("", "all.tar.gz", 0, 1),
        ("!content", "content", 1, 2),
        ("!content!dir/in.zip", "in.zip", 2, 1),
        ("!content!dir/in.zip!deep/c.txt", "c.txt", 3, 0),
        ("!content!b.txt", "b.txt", 2, 0),
    ]
    assert all(row.sha256 and row.complete for row in results)
    assert desk.texts()["http:request.body!content!names"] == b"dir/in.zip\nb.txt\n"


@pytest.mark.parametrize(("depth", "opened"), [(2, True), (1, False)])
def test_depth_cap(depth, opened):
    data = zipped({"a.zip": zipped({"b.txt": b"text"}, 0)}, 0)
    desk = Desk(unpack_depth=depth)
    results = desk.play(body(data))
    assert ("http:request.body!a.zip!b.txt" in desk.texts()) is opened
    if not opened:
        assert desk.notes == ["unpack_too_deep"]
        assert b"text" in desk.texts()["http:request.body!a.zip"]
        assert results[1].skipped[0][0] == "unpack_too_deep"


@pytest.mark.parametrize(("most", "notes"), [(4, []), (3, []), (2, ["unpack_too_many"])])
def test_members_cap(most, notes):
    desk = Desk(unpack_members=most)
    results = desk.play(body(zipped({"1": b"1", "2": b"2", "3": b"3"})))
    assert desk.notes == notes
    assert results[0].members == min(most, 3)
    assert results[0].complete is not bool(notes)


@pytest.mark.parametrize(("room", "notes"), [(101, []), (100, []), (99, ["unpack_bomb"])])
def test_ratio_cap_inspects_to_the_last_byte_allowed(room, notes):
    data = zipped({"a": b"x" * 100}, 0)
    desk = Desk(unpack_ratio_free=room, unpack_ratio=0)
    results = desk.play(body(data))
    assert desk.notes == notes
    assert desk.texts()["http:request.body!a"] == b"x" * min(room, 100)
    assert results[1].complete is not bool(notes)


@pytest.mark.parametrize(("room", "notes"), [(100, []), (99, ["unpack_too_much"])])
def test_bytes_cap(room, notes):
    desk = Desk(unpack_bytes=room)
    desk.play(body(zipped({"a": b"x" * 100}, 0)))
    assert desk.notes == notes


def test_ratio_counts_per_byte_of_the_outermost_container():
    data = zipped({"a": bytes(50_000)})
    desk = Desk(unpack_ratio_free=0, unpack_ratio=10)
    desk.play(body(data))
    assert len(desk.texts()["http:request.body!a"]) == 10 * len(data)


def test_bomb_in_a_bomb_is_said_once():
    core = zipped({f"{n}": bytes(200_000) for n in range(5)})
    data = zipped({f"{n}.zip": core for n in range(5)})
    desk = Desk(unpack_ratio_free=300_000, unpack_ratio=1)
    results = desk.play(body(data))
    assert desk.notes == ["unpack_bomb"]
    assert sum(len(text) for text in desk.texts().values()) < 600_000
    assert not results[0].complete


def test_zip_that_contains_itself_ends():
    """Not a quine, but as deep: thirty zips in one another."""
    data = b"core"
    for _ in range(30):
        data = zipped({"z": data})
    desk = Desk()
    results = desk.play(body(data))
    assert desk.notes == ["unpack_too_deep"]
    assert max(row.depth for row in results) == desk.limits["unpack_depth"]


@pytest.mark.parametrize(("hashed", "notes"), [(4, []), (2, ["unpack_hashes_stop"])])
def test_hashing_stops_searching_does_not(hashed, notes):
    desk = Desk(unpack_hashed=hashed)
    results = desk.play(body(zipped({str(n): str(n) for n in range(3)})))
    assert [bool(row.sha256) for row in results] == [True] + [n < hashed for n in range(3)]
    assert all(row.scan for row in results[1:])
    assert desk.notes == notes


def test_what_cannot_be_opened_is_scanned_raw():
    data = b"PK\x03\x04 no archive, but text"
    desk = Desk()
    (result,) = desk.play(body(data))
    assert desk.texts() == {"http:request.body": data}
    assert (result.complete, desk.notes) == (False, ["zip_damaged"])


def test_a_format_module_that_raises_is_our_bug_and_costs_no_coverage(monkeypatch):
    def broken(_file, _limits):
        yield Member("good", iter([b"good"]))
        raise ZeroDivisionError

    spec = FormatSpec("broken", lambda head, *_: head == b"BROKEN", broken, 99, (), (), "doc")
    monkeypatch.setitem(FORMATS, "broken", spec)
    desk = Desk()
    with pytest.raises(AssertionError, match="raised"):
        desk.play(body(b"BROKEN"))
    assert desk.texts()["http:request.body!good"] == b"good"
    assert desk.notes == ["unpack_fault"]
    assert desk.counters["faults_total", "content", "broken"] == 1


def test_scans_of_one_content_add_up():
    left = ScanResult((), (("a", "b"),), 5, {"card": 1}, 1)
    right = ScanResult((), (), 7, {"card": 2}, 0)
    assert add_scans(left, right) == ScanResult((), (("a", "b"),), 12, {"card": 3}, 1)
    assert add_scans(None, right) is right


def test_skipped_rows_add_up():
    row = ContentResult(0, 0, 0, "p")
    row.skip("b", 1)
    row.skip("a", 2)
    row.skip("b", 3)
    row.skip("c", 0)
    assert row.skipped == (("a", 2), ("b", 4))
