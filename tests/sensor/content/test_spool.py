import pytest

from sensor.content.spool import Spool, SpoolQuota


@pytest.mark.parametrize("in_memory", [1, 1000])
def test_reads_back_from_anywhere(in_memory):
    quota = SpoolQuota(100)
    spool = Spool(quota, 100, in_memory)
    assert spool.write(b"hello ")
    assert spool.write(memoryview(b"world"))
    assert b"".join(spool.read(6, 5)) == b"world"
    assert b"".join(spool.read(0, 500)) == b"hello world"
    assert quota.free == 89
    spool.close()
    assert quota.free == 100


@pytest.mark.parametrize(("cap", "free", "fits"), [(5, 9, True), (4, 9, False), (9, 5, True), (9, 4, False)])
def test_cap_and_quota_refuse_whole_writes(cap, free, fits):
    quota = SpoolQuota(free)
    spool = Spool(quota, cap, 100)
    assert spool.write(b"12345") is fits
    assert spool.size == (5 if fits else 0)
    spool.close()
    assert quota.free == free


def test_fill_keeps_offsets():
    spool = Spool(SpoolQuota(1 << 20), 1 << 20, 100)
    spool.write(b"a")
    assert spool.fill(70000)
    spool.write(b"b")
    assert b"".join(spool.read(70000, 2)) == b"\0b"
    assert not spool.fill(1 << 20)
    spool.close()
