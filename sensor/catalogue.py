"""What the sensor knows, for people: the tables behind `list`, `explain` and `check`.

Every row comes from the same declaration the sensor runs on, so help cannot drift from behaviour.
"""

import difflib
from collections.abc import Callable, Sequence
from typing import Any, Final

from detectors import load_packs, shipped_packs
from detectors.model import Entity, Pack
from detectors.validators import load_validators
from geoip import Network, open_places
from sensor.compliance.rules import load_rules
from sensor.limits import Limits
from sensor.pipeline import FORMATS, PROTOCOLS, all_anomalies, all_limits, pack_folders
from sensor.settings import Settings, cache_folder, token_key

Rows = tuple[Sequence[str], list[Sequence[Any]]]


def _packs() -> tuple[Pack, ...]:
    return load_packs(pack_folders(()))


def _entities() -> list[tuple[Entity, Pack]]:
    return [(entity, pack) for pack in _packs() for entity in pack.entities]


def _list_entities() -> Rows:
    names = ("entity", "name", "名称", "class", "person", "strong", "pack")
    return names, [
        (
            e.id,
            e.title.get("en", ""),
            e.title.get("zh", ""),
            e.cls,
            e.person,
            "no" if e.needs_context else "yes",
            p.pack,
        )
        for e, p in _entities()
    ]


def _list_packs() -> Rows:
    return ("pack", "version", "entities"), [(p.pack, p.version, len(p.entities)) for p in _packs()]


def _list_protocols() -> Rows:
    names = ("protocol", "over", "usual ports", "restores", "does not")
    return names, [
        (s.name, s.transport, ", ".join(map(str, s.ports)), s.restores, s.does_not) for s in PROTOCOLS.values()
    ]


def _list_formats() -> Rows:
    return ("format", "what it opens"), [(spec.name, spec.doc) for spec in FORMATS.values()]


def _list_validators() -> Rows:
    return ("validator", "rule"), [(v.name, v.doc) for _, v in sorted(load_validators().items())]


def _list_anomalies() -> Rows:
    rows = sorted(all_anomalies(), key=lambda row: row.name)
    return ("anomaly", "severity", "meaning"), [(row.name, row.severity, row.meaning) for row in rows]


def _list_limits() -> Rows:
    rows = sorted(all_limits(), key=lambda row: row.name)
    return ("limit", "default", "unit", "when reached", "what it caps"), [
        (row.name, row.default, row.unit, row.policy, row.doc) for row in rows
    ]


_TABLES: Final[dict[str, Callable[[], Rows]]] = {
    "protocols": _list_protocols,
    "formats": _list_formats,
    "entities": _list_entities,
    "packs": _list_packs,
    "validators": _list_validators,
    "anomalies": _list_anomalies,
    "limits": _list_limits,
}


def rows(what: str) -> Rows:
    """Column names and rows of one table."""
    return _TABLES[what]()


def explain(name: str) -> tuple[str | None, str]:
    """Text about an entity, anomaly, limit, protocol or format; and the nearest name when there is none."""
    texts: dict[str, Callable[[], str]] = {}
    for entity, pack in _entities():
        texts[entity.id] = lambda e=entity, p=pack: _entity_text(e, p)  # type: ignore[misc]
    for anomaly in all_anomalies():
        texts[anomaly.name] = lambda a=anomaly: _paragraphs(  # type: ignore[misc]
            f"{a.name}: anomaly, severity {a.severity}", a.meaning, f"What to do: {a.remedy}", _limit_of(a.name)
        )
    for limit in all_limits():
        texts[limit.name] = lambda r=limit: _paragraphs(  # type: ignore[misc]
            f"{r.name}: limit, default {r.default} {r.unit}",
            r.doc,
            f"When reached: {r.policy}; reported as the anomaly {r.anomaly}.",
            f"Change it in the settings file:\n  limits:\n    {r.name}: {r.default}",
        )
    for spec in PROTOCOLS.values():
        texts[spec.name] = lambda s=spec: _paragraphs(  # type: ignore[misc]
            f"{s.name}: protocol over {s.transport}", f"Restores: {s.restores}", f"Does not: {s.does_not}"
        )
    for form in FORMATS.values():
        texts.setdefault(form.name, lambda f=form: _paragraphs(f"{f.name}: content format", f.doc))  # type: ignore[misc]
    if name in texts:
        return texts[name](), ""
    near = difflib.get_close_matches(name, texts, 1, 0.5)
    return None, near[0] if near else ""


def _limit_of(anomaly: str) -> str:
    names = [row.name for row in all_limits() if row.anomaly == anomaly]
    return f"Said when a limit is reached: {', '.join(names)}." if names else ""


def _paragraphs(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _entity_text(entity: Entity, pack: Pack) -> str:
    conservative = f" ({entity.cls_conservative} under gbt35273_conservative)" if entity.cls_conservative else ""
    shapes = "\n".join(
        f"  {p.regex}   confidence {p.confidence}{', only near a context word' if p.gated else ''}"
        for p in entity.patterns
    )
    return _paragraphs(
        f"{entity.id}: {entity.title.get('en', '')} / {entity.title.get('zh', '')}",
        entity.doc,
        f"Class: {entity.cls}{conservative}. Names a person: {entity.person}. Pack: {pack.pack} {pack.version}",
        f"Shapes:\n{shapes}" if shapes else "",
        f"Validator: {entity.validator or 'none'}; mask: {entity.mask}; canonical form: {entity.canonical}",
        "Reported only with a context word or in a column of such values." if entity.needs_context else "",
        f"Context: {' '.join(entity.context)}" if entity.context else "",
    )


def check(settings: Settings) -> list[str]:
    """Load everything the settings name; returns notes for the operator.

    Raises:
        SettingsError, PackError, RuleError, OSError: what is wrong.
    """
    Limits(all_limits(), settings.limits)
    token_key(settings.privacy)
    packs = load_packs(pack_folders(settings.detect.packs))
    laws = load_rules(sorted((shipped_packs() / "jurisdictions").glob("*.yaml")))
    networks = [Network(row.prefix, row.zone, row.entity, row.site) for row in settings.networks]
    open_places(
        settings.geo.database, settings.geo.second, networks=networks, home=settings.home, cache_dir=cache_folder()
    )
    missing = [home for home in settings.home if home not in {law.jurisdiction for law in laws}]
    notes = [f"ok: {len(packs)} packs with {sum(len(p.entities) for p in packs)} entities, {len(laws)} rule files"]
    notes += [f"note: no rules are shipped for home {home}; transfers get no verdicts" for home in missing]
    return notes
