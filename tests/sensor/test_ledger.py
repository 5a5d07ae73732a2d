"""What came in equals what was inspected plus every named drop."""

from sensor.counters import Counters
from sensor.ledger import balance


def test_balanced_and_not():
    wide = Counters({("frames_total",): 10, ("packets_total", "export"): 6, ("packets_total", "domestic"): 1})
    wide["drops_total", "not_ip"] = 3
    wide["kept_packets_total",] = 6
    own = Counters({("payload_bytes_total",): 100, ("stream_bytes_total",): 90, ("drops_total", "retransmitted"): 10})
    own["parsed_bytes_total", "http"] = 50
    own["raw_bytes_total",] = 30
    own["skipped_bytes_total", "encrypted"] = 10
    lines = balance(wide, own)
    assert [line.balanced for line in lines] == [True] * 4
    own["raw_bytes_total",] -= 1
    assert [line.balanced for line in balance(wide, own)] == [True, True, True, False]
