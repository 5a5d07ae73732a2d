"""A scanner that remembers what it was given, the assembler around it, and cuts of a part's events."""

import io
import itertools

from detectors.model import ScanResult
from sensor.anomalies import Catalogue
from sensor.content import assemble, unpack
from sensor.content import formats as formats_package
from sensor.counters import Counters
from sensor.interfaces import Refusal, discover
from sensor.limits import Limits
from sensor.model import PartClose, PartData, PartGap, PartOpen

FORMATS = discover(formats_package, "FORMAT")
ROWS = [*assemble.LIMITS, *unpack.LIMITS, *(row for spec in FORMATS.values() for row in spec.limits)]
KINDS = Catalogue(
    [*assemble.ANOMALIES, *unpack.ANOMALIES, *(row for spec in FORMATS.values() for row in spec.anomalies)]
)
GAP = b"<GAP>"


class RecordingScan:
    def __init__(self, hint, log):
        self.hint = hint
        self.text = bytearray()
        self.closed = False
        log.append(self)

    def feed(self, data):
        self.text += data

    def gap(self):
        self.text += GAP

    def close(self):
        assert not self.closed
        self.closed = True
        return ScanResult((), (), len(self.text))


class Desk:
    """An assembler with everything it is made of at hand."""

    def __init__(self, **overrides):
        self.scans = []
        self.counters = Counters()
        self.limits = Limits(ROWS, overrides)
        self.assembler = assemble.Assembler(
            lambda hint: RecordingScan(hint, self.scans), self.limits, FORMATS, self.counters
        )
        self.notes = []

    def play(self, events, *, scan=True, digest=True):
        """Feed PartOpen, PartData, … and return all results, those of finish included."""
        results = []
        for event in events:
            if isinstance(event, PartOpen):
                self.assembler.open(event, scan=scan, digest=digest)
            elif isinstance(event, PartData):
                # A view that dies after the call, as views into the capture arena do.
                own = bytearray(event.data)
                view = memoryview(own)
                self.assembler.data(PartData(event.part, view))
                own[:] = b"\xee" * len(own)
            elif isinstance(event, PartGap):
                self.assembler.gap(event)
            else:
                results += self.assembler.close(event)
        results += self.assembler.finish()
        self.notes = [note.name for note in self.assembler.anomalies]
        assert set(self.notes) <= set(KINDS), "an anomaly that is in no table"
        assert all(scan.closed for scan in self.scans)
        assert self.assembler._setup.quota.free == self.limits["spool_total_bytes"], "a spool was not given back"
        assert not self.counters.total("faults_total"), "a format module raised"
        return results

    def texts(self):
        """What was scanned, by path."""
        found = {}
        for scan in self.scans:
            found[scan.hint.where] = found.get(scan.hint.where, b"") + bytes(scan.text)
        return found


def body(*pieces, part=1, path="http:request.body", complete=True, **declared):
    """Events of one part; an int among the pieces is a gap."""
    yield PartOpen(part, 0, 0, path, **declared)
    for piece in pieces:
        yield PartGap(part, piece) if isinstance(piece, int) else PartData(part, piece)
    yield PartClose(part, complete)


def cuts(data, places):
    """`data` cut at `places`."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[left:right] for left, right in itertools.pairwise(edges)]


def unpacked(name, data, **overrides):
    """Members (path → bytes) and refusals ((anomaly, path), …) of a container, straight from its format module."""

    limits = Limits(ROWS, overrides)
    members, refusals = {}, []
    for item in FORMATS[name].unpack(io.BytesIO(data), limits):
        if isinstance(item, Refusal):
            assert item.anomaly in KINDS
            refusals.append((item.anomaly, item.path))
        else:
            members[item.path] = b"".join(item.pieces)
    return members, refusals
