"""The same packets in, the same batches out, whatever the format; damage ends reading, never breaks it."""

import gzip
import io
import itertools
import lzma
import random
import struct
import subprocess
import sys

import dpkt
import pytest
import zstandard

from sensor.capture import LIMITS, CaptureError, find_captures, open_capture
from sensor.limits import Limits
from tests.kit.packets import block, enhanced, interface, pcap, pcapng, section, tcp, udp

FRAMES = [
    tcp("10.0.0.1", "192.0.2.7", 40000, 80, payload=b"a" * 10),
    (udp("2001:db8::1", "2001:db8::2", 5000, 53, b"query"), 400),
    tcp("192.0.2.7", "10.0.0.1", 80, 40000, payload=bytes(range(256)) * 3),
]
START, STEP = 1_700_000_000_123_456_000, 1_234_567_000


def limits(**overrides):
    return Limits(LIMITS, overrides)


def read(path, **overrides):
    capture = open_capture(str(path), limits(**overrides))
    rows = []
    for batch in capture.batches():
        for offset, caplen, wire, ts, link in zip(
            batch.offset, batch.caplen, batch.wirelen, batch.ts_ns, batch.link, strict=True
        ):
            rows.append((bytes(batch.arena[offset : offset + caplen]), int(wire), int(ts), int(link)))
    capture.close()
    return rows, capture


EXPECTED = [
    (
        item[0] if isinstance(item, tuple) else item,
        item[1] if isinstance(item, tuple) else len(item),
        START + n * STEP,
        1,
    )
    for n, item in enumerate(FRAMES)
]
PACK = {
    "plain": bytes,
    "gzip": gzip.compress,
    "gzip members": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
    "zstd": zstandard.compress,
    "zstd frames": lambda data: zstandard.compress(data[:50]) + zstandard.compress(data[50:]),
    "xz": lzma.compress,
}


@pytest.mark.parametrize("make", [pcap, pcapng])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanos", [False, True])
@pytest.mark.parametrize("pack", PACK)
def test_every_way_to_write_them_gives_the_same_packets(tmp_path, make, order, nanos, pack):
    path = tmp_path / "name-does-not-matter"
    path.write_bytes(PACK[pack](make(FRAMES, order=order, nanos=nanos, start_ns=START, step_ns=STEP)))
    rows, capture = read(path)
    assert rows == EXPECTED
    assert (capture.damage, capture.frames) == ([], 3)


def test_standard_input(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(pcapng(FRAMES, start_ns=START, step_ns=STEP, nanos=True))

    monkeypatch.setattr(sys, "stdin", Stdin)
    rows, capture = read("-")
    assert rows == EXPECTED
    assert (capture.name, capture.size) == ("stdin", -1)


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_cut_at_every_byte(tmp_path, make):
    data = make(FRAMES, start_ns=START, step_ns=STEP, nanos=True)
    path = tmp_path / "cut"
    sizes = []
    for end in range(1, len(data)):
        path.write_bytes(data[:end])
        try:
            rows, capture = read(path)
        except CaptureError:
            assert end < 200
            continue
        assert rows == EXPECTED[: len(rows)]
        sizes.append(len(rows))
        assert len(rows) < 3
        assert all(row.anomaly == "capture_truncated" for row in capture.damage)
    assert sizes == sorted(sizes)
    assert sizes[-1] == 2


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_damaged_bytes_never_raise(tmp_path, make):
    rng = random.Random(1)
    data = make(FRAMES, start_ns=START, step_ns=STEP, nanos=True)
    path = tmp_path / "damaged"
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            broken[rng.randrange(24, len(broken))] = rng.randrange(256)
        path.write_bytes(broken)
        try:
            rows, _ = read(path)
        except CaptureError:
            continue
        assert len(rows) <= 3


def test_batches_of_any_size_hold_the_same_rows(tmp_path, monkeypatch):
    frames = [tcp("10.0.0.1", "10.0.0.2", 1, 2, seq=n, payload=b"x" * (n % 50)) for n in range(500)]
    for make, size in itertools.product((pcap, pcapng), (1, 7, 499)):
        path = tmp_path / "many"
        path.write_bytes(make(frames, nanos=True))
        whole = read(path)[0]
        monkeypatch.setattr(f"sensor.capture.{make.__name__}.BATCH_FRAMES", size)
        assert read(path)[0] == whole
        monkeypatch.undo()
        assert len(whole) == 500


def test_absurd_length_stops_with_offset(tmp_path):
    path = tmp_path / "absurd"
    path.write_bytes(pcap(FRAMES[:1]) + struct.pack("<IIII", 1, 1, 0x7FFFFFFF, 0x7FFFFFFF) + bytes(100))
    rows, capture = read(path)
    assert len(rows) == 1
    assert (capture.damage[0].anomaly, capture.damage[0].offset) == ("capture_bad_length", 24 + 16 + len(FRAMES[0]))


@pytest.mark.parametrize(("size", "kept"), [(99, 1), (100, 1), (101, 0)])
def test_record_limit(tmp_path, size, kept):
    path = tmp_path / "limit"
    path.write_bytes(pcap([b"x" * size]))
    assert len(read(path, capture_record_bytes=100)[0]) == kept


def test_lying_block_length_stops_with_offset(tmp_path):
    good = pcapng(FRAMES[:1])
    lying = bytearray(enhanced(FRAMES[0], 5))
    lying[4:8] = struct.pack("<I", len(lying) + 8)
    path = tmp_path / "lying"
    path.write_bytes(good + bytes(lying) + enhanced(FRAMES[0], 6))
    rows, capture = read(path)
    assert len(rows) == 1
    assert (capture.damage[0].anomaly, capture.damage[0].offset) == ("capture_bad_block", len(good))


def test_interfaces_with_their_own_clock_and_link_type(tmp_path):
    frame = b"\x45" + bytes(30)
    path = tmp_path / "several.pcapng"
    path.write_bytes(
        section()
        + interface(link=1)
        + interface(link=101, tsresol=0x80 | 10, tsoffset=1000)
        + interface(link=113, tsresol=3)
        + block(5, bytes(8))  # statistics
        + block(0x0BAD, struct.pack("<I", 32473) + b"custom data")
        + enhanced(frame, 2_000_001, number=0)
        + enhanced(frame, 1024 * 3 + 512, number=1)
        + enhanced(frame, 4005, number=2)
        + section(">")
        + interface(">", link=101)
        + block(3, struct.pack(">I", len(frame)) + frame, ">")
        + block(2, struct.pack(">HHIIII", 0, 7, 0, 9_000_000, len(frame), len(frame)) + frame, ">")
    )
    rows, capture = read(path)
    assert capture.damage == []
    assert [(ts, link) for _, _, ts, link in rows] == [
        (2_000_001_000, 1),
        (1_003_500_000_000, 101),
        (4_005_000_000, 113),
        (0, 101),
        (9_000_000_000, 101),
    ]
    assert {data for data, *_ in rows} == {frame}


def test_packets_of_a_refused_interface_are_named_and_the_others_read(tmp_path):
    path = tmp_path / "mixed.pcapng"
    path.write_bytes(
        section() + interface(link=127) + interface() + enhanced(b"radio", 1) + enhanced(FRAMES[0], 2, number=1)
    )
    rows, capture = read(path)
    assert [data for data, *_ in rows] == FRAMES[:1]
    assert [row.anomaly for row in capture.damage] == ["capture_link_type_unsupported"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "is empty"),
        (b"hello, this is a text file\n" * 3, "is not a pcap or pcapng capture (it holds text)"),
        (b"\x00\x01\x02" * 40, "is not a pcap or pcapng capture"),
        (pcap([b"x"], link=105), "802.11"),
        (pcap([b"x"])[:20], "ends inside the file header"),
        (gzip.compress(b"text " * 20), "is not a pcap or pcapng capture"),
        (b"\x1f\x8b" + bytes(40), "damaged compressed data"),
    ],
)
def test_the_operators_mistakes(tmp_path, data, expected):
    path = tmp_path / "input.pcap"
    path.write_bytes(data)
    with pytest.raises(CaptureError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert expected in str(error.value)


def test_wifi_only_pcapng_is_refused_by_name(tmp_path):
    path = tmp_path / "wifi.pcapng"
    path.write_bytes(pcapng([b"x"], link=127))
    with pytest.raises(CaptureError, match=r"802\.11 with radiotap"):
        read(path)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(CaptureError, match="does not exist"):
        find_captures([str(tmp_path / "none.pcap")])
    with pytest.raises(CaptureError, match="without captures"):
        find_captures([str(tmp_path)])
    with pytest.raises(CaptureError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "b").mkdir()
    for name in ("z.pcap", "b/a.pcapng.zst", "notes.txt", "b/x.cap.gz"):
        (tmp_path / name).write_bytes(b"x")
    assert find_captures([str(tmp_path)]) == [
        str(tmp_path / name) for name in ("b/a.pcapng.zst", "b/x.cap.gz", "z.pcap")
    ]


def test_header_only_is_no_packets(tmp_path):
    path = tmp_path / "header.pcap"
    path.write_bytes(pcap([]))
    assert read(path)[0] == []
    capture = open_capture(str(path), limits())
    assert capture.first_ts_ns() is None
    capture.close()


def test_damaged_compression_keeps_what_came_before(tmp_path):
    data = pcap([FRAMES[0]] * 50_000, nanos=True)
    packed = gzip.compress(data, 1)
    path = tmp_path / "cut.pcap.gz"
    path.write_bytes(packed[: len(packed) // 2] + b"\xff" * 4000)
    rows, capture = read(path)
    assert 0 < len(rows) < 50_000
    assert capture.damage[-1].anomaly.startswith("capture_")


def test_first_time_is_cheap_and_leaves_no_trace(tmp_path):
    path = tmp_path / "t.pcapng.gz"
    path.write_bytes(gzip.compress(pcapng(FRAMES, start_ns=START, nanos=True)))
    capture = open_capture(str(path), limits())
    assert capture.first_ts_ns() == START
    assert capture.frames == 0
    assert sum(len(batch) for batch in capture.batches()) == 3
    capture.close()


def test_agrees_with_dpkt(tmp_path):
    rng = random.Random(3)
    frames = [rng.randbytes(rng.randint(1, 300)) for _ in range(300)]
    data = pcap(frames)
    path = tmp_path / "d.pcap"
    path.write_bytes(data)
    theirs = [(bytes(frame), round(ts * 1e6)) for ts, frame in dpkt.pcap.Reader(io.BytesIO(data))]
    assert [(frame, round(ts / 1000)) for frame, _, ts, _ in read(path)[0]] == theirs


def test_agrees_with_tshark(tmp_path):
    path = tmp_path / "s.pcapng"
    path.write_bytes(pcapng(FRAMES, start_ns=START, step_ns=STEP, nanos=True))
    try:
        command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.cap_len"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("tshark is not installed")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [(int(ts.replace(".", "")), int(size)) for ts, size in rows] == [
        (ts, len(data)) for data, _, ts, _ in EXPECTED
    ]
