import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sensor.content.fakes import Desk, body, unpacked
from tests.sensor.content.makers import tarred

FILES = {"a.txt": b"alpha" * 300, "dir/员工.csv": "张三".encode(), "n" * 90 + "/" + "m" * 90: b"long", "empty": b""}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_members(form):
    assert unpacked("tar", tarred(FILES, form=form)) == (FILES, [])


def test_gbk_names():
    data = bytearray(tarred({"xxxx.csv": b"1"}, form=tarfile.USTAR_FORMAT))
    data[:4] = "员工".encode("gbk")
    data[148:156] = b"%06o\0 " % (sum(data[:148]) + 256 + sum(data[156:512]))
    assert list(unpacked("tar", bytes(data))[0]) == ["员工.csv"]


def test_cut_off_inside_a_member():
    members, refusals = unpacked("tar", tarred({"a": b"x" * 2000, "b": b"y"})[: 512 + 1000])
    assert (members, refusals) == ({"a": b"x" * 1000}, [("tar_damaged", "a")])


def test_broken_header_ends_it():
    data = bytearray(tarred({"a": b"x", "b": b"y"}))
    data[1024 + 5] ^= 1
    assert unpacked("tar", bytes(data)) == ({"a": b"x"}, [("tar_damaged", "")])


def test_head_with_wrong_checksum_is_no_tar():
    data = bytearray(tarred({"a": b"x"}))
    data[0] ^= 1
    desk = Desk()
    desk.play(body(bytes(data)))
    assert desk.texts() == {"http:request.body": bytes(data)}


@pytest.mark.property
@given(st.data())
@settings(max_examples=100, deadline=None)
def test_total_on_cut_and_flipped_archives(data):
    wire = bytearray(tarred(FILES))
    for _ in range(data.draw(st.integers(0, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    unpacked("tar", bytes(wire[: data.draw(st.integers(0, len(wire)))]))
