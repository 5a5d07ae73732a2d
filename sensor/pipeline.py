"""The composition root: settings in, stages wired, the loop. The only module that imports all folders.

    capture → decode → border → flow → dispatch(protocols → content → detectors) → recording → files

One `Pipeline` is one worker. With several workers each reads every packet up to the border (cheap, in columns) and
then keeps the address pairs that hash to it, so FTP control and data flows and fragments meet in one worker.
`wide` counts what happens before that cut (the same in every worker, taken from the first), `own` what follows.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

import sensor.border
import sensor.capture
import sensor.content.assemble
import sensor.content.formats
import sensor.content.unpack
import sensor.decode
import sensor.flow.dispatch
import sensor.flow.table
import sensor.protocols
import sensor.transfer
from detectors import Engine, load_packs, shipped_packs
from detectors.redact import Redactor
from geoip import Network, open_places
from sensor import anomalies
from sensor.anomalies import AnomalyRecorder, Catalogue
from sensor.batch import Headers, PacketBatch
from sensor.border import Border
from sensor.capture import Damage, open_capture
from sensor.clock import Clock
from sensor.compliance.judge import SeverityLines
from sensor.compliance.rules import load_rules
from sensor.content.assemble import assembler_factory
from sensor.counters import Counters
from sensor.decode import Decoder
from sensor.flow.dispatch import Dispatcher
from sensor.flow.table import FlowTable
from sensor.interfaces import AnomalyKind, discover
from sensor.limits import Limit, Limits
from sensor.model import CROSSING_NAMES, PROTO_TCP, PROTO_UDP
from sensor.output.jsonl import Part, RecordFile
from sensor.output.record import GeoRecord
from sensor.output.summary import Tally
from sensor.recording import Files, Identity, Policy, Recording
from sensor.settings import Settings, cache_folder, token_key

LOG: Final = logging.getLogger("bordertap")
PROTOCOLS: Final = discover(sensor.protocols, "PROTOCOL")
FORMATS: Final = discover(sensor.content.formats, "FORMAT")
_STAGES: Final = (
    anomalies,
    sensor.capture,
    sensor.decode,
    sensor.flow.table,
    sensor.flow.dispatch,
    sensor.content.assemble,
    sensor.content.unpack,
    sensor.transfer,
)
SHIPPED: Final = ("identifiers", "important_data", "secrets")  # pack folders under signatures/
_MIX: Final = np.uint64(0x9E37_79B9_7F4A_7C15)


def _rows(attribute: str) -> list[Any]:
    found: list[Any] = [row for stage in _STAGES for row in getattr(stage, attribute, ())]
    for spec in (*PROTOCOLS.values(), *FORMATS.values()):
        found.extend(getattr(spec, attribute.lower()))
    return found


def all_limits() -> list[Limit]:
    """Every cap in the house."""
    return list({row.name: row for row in _rows("LIMITS")}.values())


def all_anomalies() -> list[AnomalyKind]:
    """Every anomaly in the house."""
    return list({row.name: row for row in _rows("ANOMALIES")}.values())


def pack_folders(own: Iterable[str]) -> list[Path]:
    """The shipped pack folders and the operator's."""
    return [*(shipped_packs() / name for name in SHIPPED), *map(Path, own)]


class Outcome(msgspec.Struct):
    """What one worker leaves behind; adds up in `workers`."""

    alerts: Part
    findings: Part
    events: Part
    wide: dict[tuple[str, ...], int]
    own: dict[tuple[str, ...], int]
    tally: Tally
    damage: list[Damage]
    captures: list[dict[str, Any]]
    first_ns: int
    last_ns: int
    about: dict[str, Any]
    interrupted: bool = False


class Pipeline:
    """One worker over capture files."""

    def __init__(
        self, settings: Settings, folder: Path, *, worker: int = 0, workers: int = 1, strict: bool = False
    ) -> None:
        """Wire the stages.

        Raises:
            SettingsError, PackError, RuleError, OSError: the operator's files, before any packet is read.
        """
        self._worker, self._workers, self._strict = worker, workers, strict
        self._wide, self._own = Counters(), Counters()
        limits = Limits(all_limits(), settings.limits)
        self._limits = limits
        catalogue = Catalogue(all_anomalies())
        self._wide_anomalies = AnomalyRecorder(catalogue, self._wide, strict=strict)
        self._clock = Clock()
        self._decoder = Decoder(
            limits, self._wide, overlap=settings.flow.overlap, check_duplicates=settings.flow.duplicates
        )
        networks = [Network(row.prefix, row.zone, row.entity, row.site) for row in settings.networks]
        places = open_places(
            settings.geo.database, settings.geo.second, networks=networks, home=settings.home, cache_dir=cache_folder()
        )
        self._border = Border(places, self._wide, home=settings.home, unknown=settings.unknown_zone, log=settings.log)
        self._table = FlowTable(
            limits, self._own, self._clock, policy=settings.flow.overlap, vlan_in_key=settings.flow.vlan_in_key
        )
        shipped = shipped_packs()
        packs = load_packs(pack_folders(settings.detect.packs))
        engine = Engine(
            packs,
            token_key=token_key(settings.privacy),
            profile=settings.detect.profile,
            engine=settings.detect.engine,
            cache_dir=cache_folder(),
        )
        laws = load_rules(sorted((shipped / "jurisdictions").glob("*.yaml")))
        policy = Policy(
            settings.log,
            frozenset(CROSSING_NAMES.index(name) for name in settings.detect.scan),
            settings.detect.min_confidence,
            SeverityLines(**msgspec.to_builtins(settings.severity)),
            laws,
        )
        database = places.default
        geo = GeoRecord(database.source, database.sha256, database.build_date)
        versions = {pack.pack: pack.version for pack in packs} | {law.jurisdiction: law.version for law in laws}
        self._files = Files(
            RecordFile(folder / f".alerts.{worker}.part"),
            RecordFile(folder / f".findings.{worker}.part"),
            RecordFile(folder / f".events.{worker}.part"),
        )
        own_anomalies = AnomalyRecorder(catalogue, self._own, strict=strict)
        self._recording = Recording(
            self._files,
            self._border,
            policy,
            Identity(settings.home, geo, versions),
            limits,
            self._own,
            own_anomalies,
            Redactor(engine).text,
        )
        self._dispatcher = Dispatcher(
            PROTOCOLS,
            limits,
            self._own,
            own_anomalies,
            assembler_factory(engine.open, limits, FORMATS, self._own),
            self._recording,
            on_fault=_log_fault,
            strict=strict,
        )
        self._about = {"geo": msgspec.to_builtins(geo), "second_geo": places.second_name, "pack_versions": versions}
        self._first_ns = 0

    def run(self, captures: Iterable[str], progress: Callable[[str, int, int], None] | None = None) -> Outcome:
        """Analyse capture files one after the other, flows going on from one to the next.

        Args:
            captures: paths, in the order of time.
            progress: called now and then with the capture's name, bytes consumed, frames so far.

        Raises:
            CaptureError: a file cannot be opened.
        """
        damage: list[Damage] = []
        facts: list[dict[str, Any]] = []
        interrupted = False
        try:
            for path in captures:
                self._one(path, damage, facts, progress)
        except KeyboardInterrupt:
            interrupted = True
        self._decoder.finish()
        self._anomalies_of_decoder()
        for item in self._table.finish():
            self._dispatcher.handle(item)
        self._anomalies_of_flows()
        return self._outcome(damage, facts, interrupted=interrupted)

    def _one(
        self,
        path: str,
        damage: list[Damage],
        facts: list[dict[str, Any]],
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        capture = open_capture(path, self._limits)
        try:
            for batch in capture.batches():
                headers = self._decoder.decode(batch)
                self._anomalies_of_decoder()
                self._batch(headers, batch)
                if progress is not None:
                    progress(capture.name, capture.consumed, capture.frames)
        finally:
            damage.extend(capture.damage)
            for row in capture.damage:
                self._wide_anomalies.record(row.anomaly)
            facts.append({"name": capture.name, "bytes": capture.size, "frames": capture.frames})
            capture.close()

    def _batch(self, headers: Headers, batch: PacketBatch) -> None:
        if not len(headers):
            return
        newest = int(headers.ts_ns.max())
        if not self._first_ns:
            self._first_ns = int(headers.ts_ns[0])
        self._first_ns = min(self._first_ns, int(headers.ts_ns.min()))
        self._clock.advance(newest)
        keep = self._border.judge(headers, batch.wirelen[headers.packet])
        transport = (headers.proto == PROTO_TCP) | (headers.proto == PROTO_UDP)
        self._wide["kept_packets_total",] += int(np.count_nonzero(keep))
        self._wide["other_transport_packets_total",] += int(np.count_nonzero(keep & ~transport))
        keep &= transport
        if self._workers > 1:
            keep &= shard(headers, self._workers) == self._worker
        if not keep.any():
            return
        handle = self._dispatcher.handle
        for item in self._table.feed(headers.take(keep), batch.capture, batch.first):
            handle(item)
        self._anomalies_of_flows()

    def _anomalies_of_decoder(self) -> None:
        for name, count in self._decoder.anomalies:
            for _ in range(count):
                self._wide_anomalies.record(name)
        self._decoder.anomalies.clear()

    def _anomalies_of_flows(self) -> None:
        for flow, name, ts_ns in self._table.anomalies:
            self._recording.flow_anomaly(flow, name, ts_ns)
        self._table.anomalies.clear()

    def _outcome(self, damage: list[Damage], facts: list[dict[str, Any]], *, interrupted: bool) -> Outcome:
        files = self._files
        return Outcome(
            files.alerts.close(),
            files.findings.close(),
            files.events.close(),
            dict(self._wide),
            dict(self._own),
            self._recording.tally,
            damage,
            facts,
            self._first_ns,
            self._clock.now_ns,
            self._about,
            interrupted,
        )


def shard(headers: Headers, workers: int) -> npt.NDArray[np.uint64]:
    """Worker of each row: a hash of the address pair that is the same for both directions."""
    mixed = ((headers.src_lo ^ headers.dst_lo) + (headers.src_hi ^ headers.dst_hi)) * _MIX
    return (mixed >> np.uint64(32)) % np.uint64(workers)


def _log_fault(stage: str, name: str, fault: BaseException) -> None:
    """Where our bug was, without its message: that may quote traffic."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    LOG.error("fault in %s %s: %s at %s; the parser was detached", stage, name, type(fault).__name__, where)
