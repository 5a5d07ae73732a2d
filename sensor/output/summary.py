"""summary.json: what a run saw, what it found, and what it could not see.

`Tally` is filled alert by alert in each worker and adds up across workers; `build` turns it and the counters into the
summary record, which the terminal table and the HTML report show. Holds tokens and counts, never a value.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from sensor.counters import Counters
from sensor.interfaces import AnomalyKind
from sensor.output.record import SUMMARY_SCHEMA, Alert, EntityCount, Party

COUNTRY_VALUES: Final = 1_000_000  # distinct values kept per country for counting people; beyond, a lower bound
PersonCounter = Callable[[Iterable[tuple[str, str, str]], Iterable[tuple[str, str]]], Any]

ENTITY_ZH: Final = {
    "cn_resident_id": "居民身份证号",
    "cn_resident_id_15": "15位身份证号",
    "cn_mobile": "手机号",
    "bank_card": "银行卡号",
    "email": "电子邮箱",
    "cn_passport": "护照号",
    "cn_plate": "车牌号",
    "cn_uscc": "统一社会信用代码",
    "vin": "车架号",
    "iban": "国际银行账号",
    "us_ssn": "美国社会安全号",
    "hk_id": "香港身份证号",
    "secret_marking": "密级标志",
    "credential": "口令",
    "private_key": "私钥",
    "aws_access_key": "云访问密钥",
    "cn_landline": "固定电话",
    "geo_coordinate": "精确位置",
    "person_name": "姓名",
    "address": "地址",
}
ENTITY_EN: Final = {
    "cn_resident_id": "resident ID",
    "cn_resident_id_15": "15-digit resident ID",
    "cn_mobile": "mobile number",
    "bank_card": "bank card",
    "email": "e-mail address",
    "cn_passport": "passport",
    "cn_plate": "vehicle plate",
    "cn_uscc": "organisation code",
    "vin": "vehicle number (VIN)",
    "iban": "IBAN",
    "us_ssn": "US social security number",
    "hk_id": "Hong Kong ID",
    "secret_marking": "secrecy marking",
    "credential": "credential",
    "private_key": "private key",
    "aws_access_key": "cloud access key",
    "cn_landline": "landline",
    "geo_coordinate": "precise location",
    "person_name": "name",
    "address": "address",
}


class CountryTally(msgspec.Struct):
    """What one receiving country got."""

    transfers: int = 0
    content_bytes: int = 0
    severities: Counter[str] = msgspec.field(default_factory=Counter)
    values: dict[str, tuple[str, str]] = msgspec.field(default_factory=dict)
    links: set[tuple[str, str]] = msgspec.field(default_factory=set)


class Tally(msgspec.Struct):
    """Sums over the alerts of one worker."""

    countries: dict[str, CountryTally] = msgspec.field(default_factory=dict)
    export_bytes: Counter[str] = msgspec.field(default_factory=Counter)
    app_protos: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, alert: Alert, transfer: Any) -> None:
        """One alert and the transfer behind it."""
        row = self.countries.setdefault(alert.receiver.country or alert.receiver.zone, CountryTally())
        row.transfers += 1
        row.content_bytes += sum(content.size for content in alert.contents)
        row.severities[alert.severity] += 1
        self.app_protos[alert.app_proto] += 1
        if len(row.values) < COUNTRY_VALUES:
            row.values.update((v.finding.token, (v.finding.entity, v.finding.person)) for v in transfer.values.values())
            row.links.update(transfer.links)

    def merge(self, other: "Tally") -> None:
        """Add another worker's."""
        self.export_bytes.update(other.export_bytes)
        self.app_protos.update(other.app_protos)
        for country, theirs in other.countries.items():
            row = self.countries.setdefault(country, CountryTally())
            row.transfers += theirs.transfers
            row.content_bytes += theirs.content_bytes
            row.severities.update(theirs.severities)
            row.values.update(theirs.values)
            row.links |= theirs.links


def build(
    tally: Tally,
    counters: Counters,
    catalogue: Mapping[str, AnomalyKind],
    count_persons: PersonCounter,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """The summary record; `about` (captures, settings, databases, time) stands first."""
    countries = [_country(name, row, count_persons) for name, row in tally.countries.items()]
    countries.sort(key=lambda row: (-row["persons"]["max"], -row["transfers"], row["country"]))
    return {
        "schema": SUMMARY_SCHEMA,
        **about,
        "alerts": counters.total("alerts_total"),
        "severities": counters.by_label("alerts_total"),
        "findings": counters.by_label("findings_total"),
        "persons": _persons(tally, count_persons),
        "countries": countries,
        "app_protos": dict(tally.app_protos.most_common()),
        "border": {
            "packets": counters.by_label("packets_total"),
            "bytes": counters.by_label("bytes_total"),
            "zone_pairs": _pairs(counters),
            "exported_payload_bytes": dict(tally.export_bytes.most_common()),
        },
        "events": counters.by_label("events_total"),
        "blind_spots": _blind(counters),
        "drops": counters.by_label("drops_total"),
        "anomalies": [
            {"name": name, "count": count, "severity": catalogue[name].severity, "meaning": catalogue[name].meaning}
            for name, count in counters.by_label("anomalies_total").items()
            if name in catalogue
        ],
        "faults": counters.by_label("faults_total"),
    }


def _country(name: str, row: CountryTally, count_persons: PersonCounter) -> dict[str, Any]:
    persons = count_persons(((entity, role, token) for token, (entity, role) in row.values.items()), row.links)
    return {
        "country": name,
        "transfers": row.transfers,
        "persons": {"min": persons.min, "max": persons.max},
        "content_bytes": row.content_bytes,
        "severities": dict(row.severities.most_common()),
        "entities": dict(Counter(entity for entity, _ in row.values.values()).most_common()),
    }


def _persons(tally: Tally, count_persons: PersonCounter) -> dict[str, int]:
    values: dict[str, tuple[str, str]] = {}
    links: set[tuple[str, str]] = set()
    for row in tally.countries.values():
        values.update(row.values)
        links |= row.links
    persons = count_persons(((entity, role, token) for token, (entity, role) in values.items()), links)
    return {"min": persons.min, "max": persons.max}


def _pairs(counters: Counters) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for key, value in counters.items():
        if len(key) == 3 and key[0] in {"border_packets_total", "border_bytes_total"} and value:
            row = rows.setdefault((key[1], key[2]), {"sender": key[1], "receiver": key[2], "packets": 0, "bytes": 0})
            row["packets" if key[0] == "border_packets_total" else "bytes"] = value
    return sorted(rows.values(), key=lambda row: (-row["bytes"], row["sender"], row["receiver"]))


def _blind(counters: Counters) -> list[dict[str, Any]]:
    rows = [
        {"reason": key[1], "zone": key[2], "bytes": value}
        for key, value in counters.items()
        if key[0] == "blind_bytes_total" and value
    ]
    return sorted(rows, key=lambda row: (-row["bytes"], row["reason"], row["zone"]))


def sentence(sender: Party, receiver: Party, counts: tuple[EntityCount, ...], persons: Any) -> tuple[str, str]:
    """One line for people, in Chinese and in English."""
    kinds = counts[:3]
    people = str(persons.max) if persons.min == persons.max else f"{persons.min}-{persons.max}"
    zh_kinds = "、".join(f"{ENTITY_ZH.get(row.entity, row.entity)}{row.distinct}个" for row in kinds)
    en_kinds = ", ".join(f"{row.distinct} × {ENTITY_EN.get(row.entity, row.entity)}" for row in kinds)
    more = len(counts) - len(kinds)
    source, target = sender.zone or "?", receiver.country or receiver.zone or "?"
    zh = f"{source}→{target}：{zh_kinds}{f'等{len(counts)}类' if more else ''}，涉及{people}人"
    en = f"{source} → {target}: {en_kinds}{f' and {more} more kinds' if more else ''}; {people} people"
    return zh, en
