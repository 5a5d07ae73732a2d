import gzip
import hashlib
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sensor.content.fakes import GAP, Desk, body, cuts
from tests.sensor.content.makers import form, zipped

TEXT = b"".join(b"%d,13800138000,name\n" % (number * 7919) for number in range(9000))


def raw_deflate(data):
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


WRITERS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "deflate raw": raw_deflate,
    "br": lambda data: brotli.compress(data, quality=4),
    "zstd": zstandard.ZstdCompressor().compress,
}
PATH = "http:request.body"


def play(wire, coding, *, pieces=None, complete=True, **overrides):
    desk = Desk(**overrides)
    results = desk.play(body(*(pieces or [wire]), codings=(coding.split()[0],), complete=complete))
    return desk, results


@pytest.mark.parametrize("coding", WRITERS)
def test_decoded_scanned_and_hashed(coding):
    desk, (result,) = play(WRITERS[coding](TEXT), coding)
    assert desk.texts() == {PATH: TEXT}
    assert (result.size, result.complete, result.sha256) == (len(TEXT), True, hashlib.sha256(TEXT).hexdigest())


@pytest.mark.parametrize("coding", ["X-GZIP", " gzip "])
def test_names_are_read_as_people_write_them(coding):
    desk = Desk()
    desk.play(body(WRITERS["gzip"](TEXT), codings=(coding,)))
    assert desk.texts() == {PATH: TEXT}


def test_two_codings_the_outermost_is_last():
    desk = Desk()
    desk.play(body(WRITERS["br"](WRITERS["gzip"](TEXT)), codings=("gzip", "br")))
    assert desk.texts() == {PATH: TEXT}


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_are_joined(coding):
    desk, (result,) = play(WRITERS[coding](b"one ") + WRITERS[coding](TEXT), coding)
    assert desk.texts() == {PATH: b"one " + TEXT}
    assert result.complete


def test_coded_form_and_coded_container():
    wire = form((b'Content-Disposition: file; filename="a.zip"', zipped({"in.txt": b"inside"})))
    desk = Desk()
    desk.play(body(gzip.compress(wire), codings=("gzip",), boundary="XyZ"))
    assert desk.texts()[f"{PATH}/multipart:file=a.zip!in.txt"] == b"inside"


@pytest.mark.parametrize("coding", ["", "identity", "rot13"])
def test_what_is_no_coding_passes(coding):
    desk = Desk()
    (result,) = desk.play(body(TEXT, codings=(coding,)))
    assert desk.texts() == {PATH: TEXT}
    assert result.complete
    assert desk.notes == (["coding_unknown"] if coding == "rot13" else [])


@pytest.mark.parametrize("coding", WRITERS)
def test_coding_that_was_never_applied(coding):
    plain = b"\x07 plain, whatever the header says" * 1000
    desk, (result,) = play(plain, coding)
    assert desk.notes == ["coding_broken"]
    assert desk.texts()[PATH].endswith(plain)
    assert not result.complete


def test_container_under_a_coding_that_was_never_applied_is_opened():
    desk, _ = play(zipped({"in.txt": b"inside"}), "gzip")
    assert desk.texts()[f"{PATH}!in.txt"] == b"inside"


@pytest.mark.parametrize("coding", WRITERS)
def test_cut_off_is_decoded_as_far_as_it_goes(coding):
    wire = WRITERS[coding](TEXT)
    desk, (result,) = play(wire[:-100], coding, complete=False)
    text = desk.texts()[PATH]
    assert TEXT.startswith(text)
    assert len(text) > len(TEXT) // 4
    assert (result.complete, desk.notes) == (False, [])


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_end_of_coding_missing_makes_it_incomplete_though_the_message_is_whole(coding):
    _, (result,) = play(WRITERS[coding](TEXT)[:-1], coding)
    assert not result.complete


def test_broken_checksum_loses_no_text():
    wire = bytearray(WRITERS["gzip"](b"13800138000"))
    wire[-6] ^= 1
    desk, (result,) = play(bytes(wire), "gzip")
    assert desk.texts()[PATH].startswith(b"13800138000" + GAP)
    assert (result.complete, desk.notes) == (False, ["coding_broken"])


@pytest.mark.parametrize("coding", WRITERS)
def test_gap_ends_the_decoding_and_counts_the_rest(coding):
    wire = WRITERS[coding](TEXT)
    half = len(wire) // 2
    desk, (result,) = play(wire, coding, pieces=[wire[:half], 50, wire[half + 50 :]])
    assert TEXT.startswith(desk.texts()[PATH].removesuffix(GAP))
    assert result.skipped == (("coding_gap", len(wire) - half - 50),)
    assert (result.complete, desk.notes) == (False, ["coding_gap"])


def test_bytes_behind_the_end_are_counted_padding_is_not():
    for tail, skipped in ((bytes(9), ()), (b"tail", (("coding_trailing", 4),))):
        desk, (result,) = play(WRITERS["gzip"](TEXT) + tail, "gzip")
        assert (desk.texts(), result.skipped) == ({PATH: TEXT}, skipped)


def test_empty_body_is_complete():
    desk = Desk()
    (result,) = desk.play(body(codings=("gzip",)))
    assert (result.complete, result.size, desk.notes) == (True, 0, [])


@pytest.mark.parametrize("coding", WRITERS)
@pytest.mark.parametrize(("cap", "note"), [("coding_bytes", "coding_too_much"), ("coding_ratio_free", "coding_bomb")])
def test_caps_at_the_last_byte(coding, cap, note):
    wire = WRITERS[coding](TEXT)
    for spare in (1, 0, -1):
        desk, (result,) = play(
            wire, coding, **{cap: len(TEXT) + spare, "coding_ratio": 0 if cap != "coding_bytes" else 99}
        )
        assert desk.notes == ([note] if spare < 0 else [])
        assert desk.texts()[PATH].removesuffix(GAP) == TEXT[: len(TEXT) + min(spare, 0)]
        assert result.complete is (spare >= 0)


@pytest.mark.parametrize("coding", WRITERS)
def test_bomb_stops_early_and_the_rest_is_counted(coding):
    wire = WRITERS[coding](bytes(64 << 20))
    desk, (result,) = play(wire + bytes(40000), coding, coding_ratio_free=1 << 20, coding_ratio=1)
    assert "coding_bomb" in desk.notes
    assert result.size <= (1 << 20) + len(wire) + 40000
    assert dict(result.skipped).get("coding_bomb", 0) > 0


@pytest.mark.property
@pytest.mark.parametrize("coding", WRITERS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_split_law_also_when_damaged(coding, data):
    wire = bytearray(WRITERS[coding](TEXT))
    for _ in range(data.draw(st.integers(0, 2))):
        wire[data.draw(st.integers(0, len(wire) - 1))] ^= data.draw(st.integers(1, 255))
    whole = bytes(wire[: data.draw(st.integers(1, len(wire)))])
    pieces = cuts(whole, data.draw(st.lists(st.integers(0, 1 << 20), max_size=5)))
    left, right = play(whole, coding), play(whole, coding, pieces=pieces)
    assert left[0].texts() == right[0].texts()
    assert (left[0].notes, list(map(str, left[1]))) == (right[0].notes, list(map(str, right[1])))
