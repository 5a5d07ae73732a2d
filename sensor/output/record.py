"""The records that leave the sensor, as types: one line of JSON each, one schema each.

`alerts.jsonl` holds Alert, `findings.jsonl` FindingRecord, `events.jsonl` open records that begin with the fields of
EventHead. Field names are a contract (DESIGN.md section 4); renaming one is a change of the schema's number. The JSON
Schemas in `schemas/` are generated from these types and a test fails when they are stale.
"""

from typing import Any, Final

import msgspec

from sensor.model import Verdict

ALERT_SCHEMA: Final = "bordertap/alert/1"
FINDING_SCHEMA: Final = "bordertap/finding/1"
EVENT_SCHEMA: Final = "bordertap/event/1"
SUMMARY_SCHEMA: Final = "bordertap/summary/1"


class Party(msgspec.Struct, frozen=True):
    """One end of a transfer, in its role as sender or receiver of the content.

    Attributes:
        ip: address, canonical text.
        port: transport port.
        country: ISO 3166-1 alpha-2, "" when unknown.
        zone: legal zone (`home` ranges take the first home zone), `unknown` when the country is.
        entity: legal entity from the operator's networks, else "".
        asn: autonomous system number, 0 when not known.
        basis: what the place rests on: `network`, `special`, `geoip`, `unknown`.
        confidence: 0-1, lower where the two databases disagree.
        second_country: the second database's opinion when it differs, else "".
    """

    ip: str
    port: int
    country: str
    zone: str
    entity: str = ""
    asn: int = 0
    basis: str = ""
    confidence: float = 0.0
    second_country: str = ""


class Address(msgspec.Struct, frozen=True):
    """Address and port of the client or server of a flow."""

    ip: str
    port: int


class ContentRecord(msgspec.Struct, frozen=True):
    """One content of a transfer: where it stood, what it said it was, what came through."""

    path: str
    media_type: str
    name: str
    size: int
    sha256: str
    complete: bool


class EntityCount(msgspec.Struct, frozen=True):
    """Findings of one entity in a transfer: all occurrences, distinct values, up to five masked samples."""

    entity: str
    cls: str = msgspec.field(name="class")
    count: int = 0
    distinct: int = 0
    confidence: float = 0.0
    where: tuple[str, ...] = ()
    masked_sample: tuple[str, ...] = ()


class Persons(msgspec.Struct, frozen=True):
    """Interval of the distinct people behind a transfer's findings."""

    min: int
    max: int


class InspectionRecord(msgspec.Struct, frozen=True):
    """What of the transfer the sensor could read."""

    complete: bool
    gaps_bytes: int
    skipped_bytes: int


class GeoRecord(msgspec.Struct, frozen=True):
    """The country database the places rest on."""

    db: str
    db_sha256: str
    db_date: str


class Alert(msgspec.Struct, frozen=True):
    """One transfer with findings. Times are RFC 3339 UTC with nanoseconds, from the packets."""

    schema: str
    alert_id: str
    ts_first: str
    ts_last: str
    severity: str
    crossing: str
    home: tuple[str, ...]
    sender: Party
    receiver: Party
    client: Address
    server: Address
    community_id: str
    app_proto: str
    direction: str
    summary_zh: str
    summary_en: str
    contents: tuple[ContentRecord, ...]
    contents_total: int
    findings: tuple[EntityCount, ...]
    persons: Persons
    persons_sensitive: Persons
    verdicts: tuple[Verdict, ...]
    inspection: InspectionRecord
    geo: GeoRecord
    pack_versions: dict[str, str]
    test_values: dict[str, int]
    capture_file: str
    evidence: str | None = None


class FindingRecord(msgspec.Struct, frozen=True):
    """One distinct value of a transfer: mask and keyed token, never the value."""

    schema: str
    alert_id: str
    capture_file: str
    app_proto: str
    direction: str
    crossing: str
    entity: str
    cls: str = msgspec.field(name="class")
    masked: str = ""
    token: str = ""
    confidence: float = 0.0
    where: str = ""
    offset: int = 0
    encoding: str = ""
    count: int = 0
    why: tuple[str, ...] = ()
    pack: str = ""
    community_id: str = ""
    sender_ip: str = ""
    sender_country: str = ""
    receiver_ip: str = ""
    receiver_country: str = ""


class EventHead(msgspec.Struct, frozen=True):
    """The fields every line of events.jsonl begins with; the rest depends on `event`."""

    schema: str
    event: str
    ts: str
    capture_file: str
    community_id: str
    client_ip: str
    client_port: int
    server_ip: str
    server_port: int


def json_schema(kind: type, title: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of a record type."""
    schema = msgspec.json.schema(kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


SCHEMAS: Final = {"alert": Alert, "finding": FindingRecord, "event": EventHead}
