"""Which packets cross, and who counts them."""

import numpy as np
import pytest

from geoip import Network, Places
from sensor.batch import Headers
from sensor.border import Border
from sensor.counters import Counters
from sensor.model import CROSSING_NAMES
from tests.geoip.test_places import WORLD, halves

CN, US, FR, LAN, NOWHERE, GROUP = "1.1.1.1", "2.128.1.1", "2.1.1.1", "10.0.0.1", "9.9.9.9", "224.0.0.5"


def headers(pairs):
    columns = [
        np.array(column, np.uint64) for column in zip(*((*halves(a), *halves(b)) for a, b in pairs), strict=True)
    ]
    zero = np.zeros(len(pairs), np.int64)
    return Headers(np.zeros(1, np.uint8), zero, zero, *columns, *([zero] * 10))


def border(home=("CN",), **options):
    counters = Counters()
    where = Places(WORLD, None, [Network("2.2.0.0/16", "HK")], home)
    return Border(where, counters, home=home, **options), counters


@pytest.mark.parametrize(
    ("home", "unknown", "sender", "receiver", "expected"),
    [
        (("CN",), "abroad", CN, US, "export"),
        (("CN",), "abroad", US, CN, "import"),
        (("CN",), "abroad", LAN, CN, "domestic"),
        (("CN",), "abroad", LAN, US, "export"),
        (("CN",), "abroad", US, FR, "transit"),
        (("CN",), "abroad", CN, "2.2.0.1", "export"),
        (("CN", "HK"), "abroad", CN, "2.2.0.1", "domestic"),
        (("CN",), "abroad", CN, NOWHERE, "export"),
        (("CN",), "home", CN, NOWHERE, "domestic"),
        (("CN",), "home", NOWHERE, US, "export"),
        (("CN",), "skip", CN, NOWHERE, "domestic"),
        (("CN",), "abroad", CN, GROUP, "domestic"),
        (("CN",), "abroad", US, GROUP, "domestic"),
        (("US",), "abroad", CN, US, "import"),
    ],
)
def test_truth_table_for_flows_and_packets(home, unknown, sender, receiver, expected):
    where, counters = border(home, unknown=unknown)
    assert CROSSING_NAMES[where.crossing(*halves(sender), *halves(receiver))] == expected
    keep = where.judge(headers([(sender, receiver)]), np.array([100]))
    assert keep.tolist() == [expected in {"export", "import"}]
    assert counters.by_label("packets_total") == {expected: 1}
    assert counters.by_label("bytes_total") == {expected: 100}


def test_everything_is_counted_once_and_log_all_keeps_it():
    pairs = [(a, b) for a in (CN, US, FR, LAN, NOWHERE, GROUP) for b in (CN, US, FR, LAN, NOWHERE, GROUP)]
    for log, kept in (("crossing", None), ("all", len(pairs))):
        where, counters = border(log=log)
        keep = where.judge(headers(pairs), np.arange(len(pairs)))
        assert counters.total("packets_total") == counters.total("border_packets_total") == len(pairs)
        assert counters.total("bytes_total") == counters.total("border_bytes_total") == sum(range(len(pairs)))
        assert keep.sum() == (kept or counters["packets_total", "export"] + counters["packets_total", "import"])
