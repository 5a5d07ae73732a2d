import bz2
import gzip
import io
import lzma
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sensor.content.fakes import Desk, body, unpacked

TEXT = "姓名,手机\n张三,13800138000\n".encode() * 9000
WRITERS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_whole_file(kind):
    assert unpacked("compressed", WRITERS[kind](TEXT)) == ({"content": TEXT}, [])


@pytest.mark.parametrize("kind", WRITERS)
def test_two_streams_in_a_row(kind):
    assert unpacked("compressed", WRITERS[kind](TEXT) + WRITERS[kind](b"tail")) == ({"content": TEXT + b"tail"}, [])


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_padding_behind_is_fine(kind):
    assert unpacked("compressed", WRITERS[kind](TEXT) + bytes(16)) == ({"content": TEXT}, [])


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("multi", [1, 2])
def test_cut_off(kind, multi):
    data = WRITERS[kind](TEXT)
    members, refusals = unpacked("compressed", data * (multi - 1) + data[:-9])
    assert (TEXT * multi).startswith(members["content"])
    assert len(members["content"]) >= len(TEXT) * (multi - 1)
    assert refusals == [("compressed_damaged", "content")]


def test_gzip_name():
    out = io.BytesIO()
    with gzip.GzipFile("员工.csv".encode().decode("latin-1"), "wb", fileobj=out, mtime=0) as file:
        file.write(b"x")
    assert list(unpacked("compressed", out.getvalue())[0]) == ["员工.csv"]


def test_bomb_stops_at_the_ratio():
    data = gzip.compress(bytes(30 << 20), mtime=0)
    desk = Desk(unpack_ratio_free=1 << 20, unpack_ratio=10)
    results = desk.play(body(data))
    assert desk.notes == ["unpack_bomb"]
    assert results[1].size == 1 << 20
    assert not results[1].complete


def test_text_that_begins_like_bzip2_is_text():
    desk = Desk()
    desk.play(body(b"BZh is how some words begin"))
    assert desk.texts() == {"http:request.body": b"BZh is how some words begin"}
    assert desk.notes == []


@pytest.mark.property
@given(st.sampled_from(sorted(WRITERS)), st.binary(max_size=300), st.data())
@settings(max_examples=150, deadline=None)
def test_total_on_cut_and_flipped_files(kind, text, data):
    wire = bytearray(WRITERS[kind](text))
    for _ in range(data.draw(st.integers(0, 3))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    unpacked("compressed", bytes(wire[: data.draw(st.integers(0, len(wire)))]))


def test_zlib_is_the_second_opinion_for_gzip():
    data = WRITERS["gzip"](TEXT)
    assert zlib.decompress(data, 31) == unpacked("compressed", data)[0]["content"]
