"""A scanner that remembers what it was given, and the assembler around it."""

from detectors.model import ScanResult
from sensor.anomalies import Catalogue
from sensor.content import assemble, unpack
from sensor.content import formats as formats_package
from sensor.counters import Counters
from sensor.interfaces import discover
from sensor.limits import Limits

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
        log.append(self)

    def feed(self, data):
        self.text += data

    def gap(self):
        self.text += GAP

    def close(self):
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
            kind = type(event).__name__
            if kind == "PartOpen":
                self.assembler.open(event, scan=scan, digest=digest)
            elif kind == "PartData":
                self.assembler.data(event)
            elif kind == "PartGap":
                self.assembler.gap(event)
            else:
                results += self.assembler.close(event)
        results += self.assembler.finish()
        self.notes = [note.name for note in self.assembler.anomalies]
        assert set(self.notes) <= set(KINDS), "an anomaly that is in no table"
        return results

    def texts(self):
        """What was scanned, by path."""
        return {scan.hint.where: bytes(scan.text) for scan in self.scans}
