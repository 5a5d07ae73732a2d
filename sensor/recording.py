"""What was restored → records: the hooks of the dispatcher.

In: flows, messages, finished contents, anomalies. Out: lines of events.jsonl at once, and at the end of a flow one
alert per direction that crossed with findings, with its lines of findings.jsonl. Everything that came from traffic
passes `redact` on its way out. Cost: O(records).
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from sensor.anomalies import AnomalyRecorder
from sensor.border import Border
from sensor.clock import rfc3339
from sensor.compliance.judge import SeverityLines, Shown, judge, severity
from sensor.compliance.rules import Jurisdiction
from sensor.counters import Counters
from sensor.flow.dispatch import Inspection, Plan
from sensor.flow.flow import Flow
from sensor.model import (
    CROSSING_NAMES,
    DIRECTION_NAMES,
    EXPORT,
    IMPORT,
    TO_CLIENT,
    TO_SERVER,
    Anomaly,
    Message,
)
from sensor.output.jsonl import RecordFile
from sensor.output.record import (
    ALERT_SCHEMA,
    EVENT_SCHEMA,
    FINDING_SCHEMA,
    Address,
    Alert,
    ContentRecord,
    EntityCount,
    FindingRecord,
    GeoRecord,
    InspectionRecord,
    Party,
    Persons,
)
from sensor.output.summary import Tally, sentence
from sensor.transfer import Transfer, Value, count_persons
from sensor.wire.address import ip_text

SAMPLES: Final = 5  # masked samples and places listed per entity of an alert
_PROTO_NAMES: Final = {6: "tcp", 17: "udp"}


class Identity(msgspec.Struct, frozen=True):
    """What every alert of a run says of the run itself."""

    home: tuple[str, ...]
    geo: GeoRecord
    pack_versions: dict[str, str]


class Policy(msgspec.Struct, frozen=True):
    """What is inspected, logged and reported, and how it is judged."""

    log: str
    scan: frozenset[int]
    min_confidence: float
    lines: SeverityLines
    laws: tuple[Jurisdiction, ...]


class Files(msgspec.Struct):
    """The three record files of one worker."""

    alerts: RecordFile
    findings: RecordFile
    events: RecordFile


class Recording:
    """Implements `sensor.flow.dispatch.Hooks`; one per worker."""

    def __init__(
        self,
        files: Files,
        border: Border,
        policy: Policy,
        identity: Identity,
        limits: Mapping[str, int],
        counters: Counters,
        anomalies: AnomalyRecorder,
        redact: Callable[[str], str],
    ) -> None:
        self._files = files
        self._border = border
        self._policy = policy
        self._identity = identity
        self._limits = limits
        self._counters = counters
        self._anomalies = anomalies
        self._redact = redact
        self.tally = Tally()

    # ------------------------------------------------------------ dispatcher hooks
    def plan(self, flow: Flow) -> Plan:
        """Crossing of each direction, and what is therefore done."""
        up = self._border.crossing(*flow.client, *flow.server)
        down = self._border.crossing(*flow.server, *flow.client)
        abroad = flow.server if up == EXPORT else flow.client
        log = self._policy.log == "all" or (self._policy.log == "crossing" and up in {EXPORT, IMPORT})
        scan = self._policy.scan
        return Plan((up, down), (up in scan, down in scan), self._border.place(*abroad).zone, log, log)

    def message(self, flow: Flow, inspection: Inspection, message: Message, ts_ns: int) -> None:
        """A line of events.jsonl."""
        self._counters["messages_total", message.kind] += 1
        if inspection.plan.log:
            self._event(flow, message.kind, ts_ns, self._clean(message.facts))

    def content(self, flow: Flow, inspection: Inspection, result: Any, ts_ns: int) -> None:
        """Into the direction's transfer; a file event for what is a body or file."""
        if result.scan is not None and result.scan.findings:
            kept = tuple(f for f in result.scan.findings if f.confidence >= self._policy.min_confidence)
            if len(kept) != len(result.scan.findings):
                result = msgspec.structs.replace(result, scan=msgspec.structs.replace(result.scan, findings=kept))
        transfers = inspection.user
        if transfers is None:
            transfers = inspection.user = [None, None]
        transfer = transfers[result.direction]
        if transfer is None:
            transfer = transfers[result.direction] = Transfer(result.direction, self._limits)
        transfer.add(result)
        for reason, size in result.skipped:
            self._counters["skipped_content_bytes_total", reason] += size
            self._counters["blind_bytes_total", reason, inspection.plan.abroad] += size
        if inspection.plan.log and result.sha256 and not result.is_field:
            self._file_event(flow, inspection, result, ts_ns)

    def anomaly(self, flow: Flow, inspection: Inspection, anomaly: Anomaly, ts_ns: int) -> None:
        """Counted always, written as an event while it belongs to the sample."""
        inspection.anomaly_count += 1
        if self._anomalies.record(anomaly.name, inspection.anomaly_count) and inspection.plan.log:
            detail = self._redact(anomaly.detail)
            self._event(flow, "anomaly", ts_ns, {"anomaly": anomaly.name, "detail": detail})

    def flow_anomaly(self, flow: Flow, name: str, ts_ns: int) -> None:
        """Odd traffic below the protocols: gaps, overlaps, caps."""
        if self._anomalies.record(name) and self._policy.log != "none":
            self._event(flow, "anomaly", ts_ns, {"anomaly": name, "detail": ""})

    def ended(self, flow: Flow, inspection: Inspection, ts_ns: int) -> None:
        """The flow is over: its event, and its transfers judged."""
        for direction in (TO_SERVER, TO_CLIENT):
            transfer = (inspection.user or (None, None))[direction]
            crossing = inspection.plan.crossing[direction]
            if crossing == EXPORT:
                self._counters["export_flows_total", inspection.plan.abroad] += bool(flow.bytes[direction])
                self.tally.export_bytes[inspection.plan.abroad] += flow.bytes[direction]
            if transfer is not None and transfer.values and crossing in self._policy.scan:
                self._alert(flow, inspection, transfer, crossing)
        if inspection.plan.log:
            self._event(flow, "flow", flow.first_ns, self._flow_facts(flow, inspection, ts_ns))

    # ------------------------------------------------------------ events
    def _event(self, flow: Flow, kind: str, ts_ns: int, facts: Mapping[str, Any]) -> None:
        self._files.events.write(
            ts_ns,
            {
                "schema": EVENT_SCHEMA,
                "event": kind,
                "ts": rfc3339(ts_ns),
                "capture_file": flow.capture,
                "community_id": flow.community_id,
                "client_ip": ip_text(*flow.client),
                "client_port": flow.client_port,
                "server_ip": ip_text(*flow.server),
                "server_port": flow.server_port,
                **facts,
            },
        )
        self._counters["events_total", kind] += 1

    def _file_event(self, flow: Flow, inspection: Inspection, result: Any, ts_ns: int) -> None:
        facts = {
            "app_proto": inspection.protocol or _PROTO_NAMES.get(flow.proto, ""),
            "direction": DIRECTION_NAMES[result.direction],
            "name": self._redact(result.name),
            "path": self._redact(result.path),
            "media_type": result.media_type,
            "detected_type": result.detected_type,
            "size": result.size,
            "md5": result.md5,
            "sha1": result.sha1,
            "sha256": result.sha256,
            "complete": result.complete,
        }
        self._event(flow, "file", ts_ns, facts)

    def _flow_facts(self, flow: Flow, inspection: Inspection, ts_ns: int) -> dict[str, Any]:
        client, server = self._border.place(*flow.client), self._border.place(*flow.server)
        return {
            "ts_last": rfc3339(max(flow.last_ns, flow.first_ns) if flow.last_ns else ts_ns),
            "l4": _PROTO_NAMES.get(flow.proto, str(flow.proto)),
            "app_proto": inspection.protocol or "unknown",
            "client_country": client.country,
            "server_country": server.country,
            "crossing": [CROSSING_NAMES[value] for value in inspection.plan.crossing],
            "packets": list(flow.packets),
            "bytes": list(flow.bytes),
            "gap_bytes": list(flow.gap_bytes),
            "skipped_bytes": dict(inspection.skipped),
            "midstream": flow.midstream,
            "ended_by": flow.ended_by,
        }

    def _clean(self, value: Any) -> Any:
        """Every text of a fact through the mask."""
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, dict):
            return {name: self._clean(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        return value

    # ------------------------------------------------------------ alerts
    def _alert(self, flow: Flow, inspection: Inspection, transfer: Transfer, crossing: int) -> None:
        up = transfer.direction == TO_SERVER
        client = self._party(flow.client, flow.client_port)
        server = self._party(flow.server, flow.server_port)
        sender, receiver = (client, server) if up else (server, client)
        persons = transfer.persons()
        sensitive = _persons_of(transfer, "SPI")
        values = list(transfer.values.values())
        shown = Shown(
            flow.last_ns,
            persons.max,
            sensitive.max,
            frozenset(value.finding.cls for value in values),
            frozenset(value.finding.entity for value in values),
        )
        counts = _by_entity(values, self._redact)
        identity = f"{flow.community_id}|{flow.first_ns}|{transfer.direction}|{crossing}"
        alert_id = hashlib.sha256(identity.encode()).hexdigest()[:20]
        verdicts = tuple(judge(shown, self._policy.laws, self._identity.home))
        zh, en = sentence(sender, receiver, counts, persons)
        skipped = sum(transfer.skipped.values()) + sum(inspection.skipped.values())
        gaps = flow.gap_bytes[transfer.direction]
        alert = Alert(
            schema=ALERT_SCHEMA,
            alert_id=alert_id,
            ts_first=rfc3339(flow.first_ns),
            ts_last=rfc3339(flow.last_ns),
            severity=severity(shown, self._policy.lines),
            crossing=CROSSING_NAMES[crossing],
            home=self._identity.home,
            sender=sender,
            receiver=receiver,
            client=Address(client.ip, client.port),
            server=Address(server.ip, server.port),
            community_id=flow.community_id,
            app_proto=inspection.protocol or _PROTO_NAMES.get(flow.proto, ""),
            direction=DIRECTION_NAMES[transfer.direction],
            summary_zh=zh,
            summary_en=en,
            contents=tuple(self._content_record(result) for result in transfer.contents),
            contents_total=transfer.contents_total,
            findings=counts,
            persons=Persons(persons.min, persons.max),
            persons_sensitive=Persons(sensitive.min, sensitive.max),
            verdicts=verdicts,
            inspection=InspectionRecord(not (gaps or skipped or transfer.incomplete), gaps, skipped),
            geo=self._identity.geo,
            pack_versions=self._identity.pack_versions,
            test_values=transfer.test_values,
            capture_file=flow.capture,
        )
        self._files.alerts.write(flow.first_ns, alert)
        for value in values:
            self._files.findings.write(flow.first_ns, self._finding(alert, value))
            self._counters["findings_total", value.finding.entity] += value.count
        self._counters["alerts_total", alert.severity] += 1
        self.tally.add(alert, transfer)

    def _finding(self, alert: Alert, value: Value) -> FindingRecord:
        finding = value.finding
        return FindingRecord(
            schema=FINDING_SCHEMA,
            alert_id=alert.alert_id,
            capture_file=alert.capture_file,
            app_proto=alert.app_proto,
            direction=alert.direction,
            crossing=alert.crossing,
            entity=finding.entity,
            cls=finding.cls,
            masked=finding.masked,
            token=finding.token,
            confidence=round(finding.confidence, 3),
            where=self._redact(value.path),
            offset=finding.offset,
            encoding=finding.encoding,
            count=value.count,
            why=finding.why,
            pack=finding.pack,
            community_id=alert.community_id,
            sender_ip=alert.sender.ip,
            sender_country=alert.sender.country,
            receiver_ip=alert.receiver.ip,
            receiver_country=alert.receiver.country,
        )

    def _content_record(self, result: Any) -> ContentRecord:
        return ContentRecord(
            path=self._redact(result.path),
            media_type=result.media_type,
            name=self._redact(result.name),
            size=result.size,
            sha256=result.sha256,
            complete=result.complete,
        )

    def _party(self, address: tuple[int, int], port: int) -> Party:
        place = self._border.place(*address)
        return Party(
            ip=ip_text(*address),
            port=port,
            country=place.country,
            zone=place.zone,
            entity=place.entity,
            asn=place.asn or 0,
            basis=place.basis,
            confidence=round(place.confidence, 2),
            second_country="" if place.agree else place.second_country,
        )


def _by_entity(values: list[Value], redact: Callable[[str], str]) -> tuple[EntityCount, ...]:
    """Values gathered per entity, most distinct values first."""
    groups: dict[str, list[Value]] = {}
    for value in values:
        groups.setdefault(value.finding.entity, []).append(value)
    rows = [
        EntityCount(
            entity=entity,
            cls=group[0].finding.cls,
            count=sum(value.count for value in group),
            distinct=len(group),
            confidence=round(max(value.finding.confidence for value in group), 3),
            where=tuple(sorted({redact(value.path) for value in group}))[:SAMPLES],
            masked_sample=tuple(value.finding.masked for value in group[:SAMPLES]),
        )
        for entity, group in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.distinct, row.entity)))


def _persons_of(transfer: Transfer, cls: str) -> Any:
    """People with a value of one class, joined by the transfer's links."""
    kept = (value.finding for value in transfer.values.values() if value.finding.cls == cls)
    return count_persons(((f.entity, f.person, f.token) for f in kept), transfer.links)
