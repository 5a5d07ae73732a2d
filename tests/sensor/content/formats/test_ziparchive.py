import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sensor.content.fakes import Desk, body, unpacked
from tests.sensor.content.makers import local_zip, streamed_zip, zipped

FILES = {"a.txt": b"alpha " * 1000, "dir/b.csv": "姓名,手机\n".encode(), "empty": b""}
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [zipped, streamed_zip])
def test_members_of_every_method(make, method):
    assert unpacked("zip", make(FILES, method)) == (FILES, [])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("make", [zipped, streamed_zip])
def test_without_its_directory_local_headers_are_walked(make, method):
    data = make(FILES, method)
    members, refusals = unpacked("zip", data[: data.index(b"PK\x01\x02")])
    assert (members, refusals) == (FILES, [])


def test_stored_zip_in_streamed_zip_without_directory_is_not_confused():
    data = streamed_zip({"in.zip": zipped({"x": b"y"}), "after": b"z"})
    members, _ = unpacked("zip", data[: data.rindex(b"PK\x05\x06")])
    assert members["after"] == b"z"


def test_bytes_before_the_archive():
    data = b"PK\x03\x04 stub of a self-extractor" + zipped(FILES)
    assert unpacked("zip", data)[0] == FILES


def test_folders_are_not_members():
    assert unpacked("zip", zipped({"dir/": b"", "dir/a": b"x"}))[0] == {"dir/a": b"x"}


def test_zip64():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("big.txt", "w", force_zip64=True) as member:
        member.write(b"wide")
    assert unpacked("zip", out.getvalue()) == ({"big.txt": b"wide"}, [])


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("员工名单.xlsx".encode("gbk"), 0, "员工名单.xlsx"),
        ("员工名单.xlsx".encode(), 0x800, "员工名单.xlsx"),
        ("员工名单.xlsx".encode(), 0, "员工名单.xlsx"),
        (b"plain.txt", 0, "plain.txt"),
        (b"caf\x82", 0, "café"),
    ],
)
def test_names(raw, flags, name):
    assert list(unpacked("zip", local_zip(raw, b"x", flags=flags))[0]) == [name]


def encrypted(data):
    """The same archive with the encryption bit set everywhere."""
    out = bytearray(data)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := out.find(signature, place + 1)) >= 0:
            struct.pack_into("<H", out, place + at, 1)
    return bytes(out)


def test_encrypted_members_are_refused_counted_and_their_names_scanned():
    data = encrypted(zipped({"张三.txt": b"secret"}, 0))
    assert unpacked("zip", data) == ({}, [("zip_encrypted", "张三.txt")])
    desk = Desk()
    (result,) = desk.play(body(data))
    assert desk.texts() == {"http:request.body!names": "张三.txt\n".encode()}
    assert (result.skipped, result.complete) == ((("zip_encrypted", 6),), False)


def test_unknown_method_is_refused():
    assert unpacked("zip", local_zip(b"a", b"data", method=9)) == ({}, [("zip_method_unknown", "a")])


def test_cut_member_is_read_as_far_as_it_goes():
    data = zipped({"a.txt": b"".join(b"%d," % n for n in range(5000))})
    members, refusals = unpacked("zip", data[:5000])
    assert members["a.txt"].startswith(b"0,1,2,3,")
    assert refusals == [("zip_damaged", "a.txt")]


def test_damaged_member_is_marked_incomplete():
    desk = Desk()
    rows = desk.play(body(zipped({"a.txt": bytes(range(256)) * 50}, 0)[:5000]))
    assert [row.complete for row in rows] == [False, False]
    assert rows[1].size == 5000 - 30 - 5


def test_empty_archive():
    assert unpacked("zip", zipped({})) == ({}, [])


@pytest.mark.property
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_total_on_cut_and_flipped_archives(data):
    wire = bytearray(zipped(FILES, data.draw(st.sampled_from(METHODS))))
    for _ in range(data.draw(st.integers(0, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    unpacked("zip", bytes(wire[: data.draw(st.integers(4, len(wire)))]))
