"""What a transfer shows → verdicts and a severity. Pure; O(rules).

In: `Shown`, the facts measured on one transfer. Out: every rule in force on its day that applies, strongest first. A
verdict is indicative: it says which rule, which article, since when and why, and leaves the judgement to people.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from sensor.clock import NANOS
from sensor.compliance.rules import Condition, Jurisdiction
from sensor.model import Verdict

AlertSeverity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
PRECEDENCE: Final = ("V7", "V5", "V4", "V6", "V3", "V8", "V2", "V1", "V0")
_GRAVE: Final = frozenset({"SEC", "IMP"})  # secrets and signs of important data are grave in any number


class Shown(msgspec.Struct, frozen=True):
    """What one transfer shows.

    Attributes:
        ts_ns: when it ended, packet time.
        persons: distinct people, upper end of the interval.
        persons_sensitive: … of those with sensitive data.
        classes: classes of the findings.
        entities: entities found.
    """

    ts_ns: int
    persons: int
    persons_sensitive: int
    classes: frozenset[str]
    entities: frozenset[str]


class SeverityLines(msgspec.Struct, frozen=True):
    """People from which a severity applies."""

    medium: int
    high: int
    high_sensitive: int
    critical: int


def judge(shown: Shown, jurisdictions: Iterable[Jurisdiction], home: Iterable[str]) -> list[Verdict]:
    """Verdicts of the rules of the home zones that were in force on the day of the transfer."""
    homes = frozenset(home)
    day = _day(shown.ts_ns)
    verdicts: list[Verdict] = []
    for law in jurisdictions:
        if law.jurisdiction not in homes:
            continue
        for rule in law.rules:
            if day < rule.effective_from or (rule.effective_to is not None and day > rule.effective_to):
                continue
            if not _holds(rule.when, shown) or (rule.unless is not None and _holds(rule.unless, shown)):
                continue
            counts = {"persons": shown.persons, "persons_sensitive": shown.persons_sensitive}
            verdicts.append(
                Verdict(
                    rule.rule,
                    law.jurisdiction,
                    rule.article,
                    rule.effective_from.isoformat(),
                    rule.status,
                    rule.reason_en.strip().format_map(counts),
                    rule.reason_zh.strip().format_map(counts),
                    law.version,
                )
            )
    return sorted(verdicts, key=lambda verdict: (PRECEDENCE.index(verdict.status), verdict.rule))


def severity(shown: Shown, lines: SeverityLines) -> AlertSeverity:
    """How urgent the transfer is for a SOC."""
    if shown.persons >= lines.critical:
        return "critical"
    if shown.persons >= lines.high or shown.persons_sensitive >= lines.high_sensitive or shown.classes & _GRAVE:
        return "high"
    if shown.persons >= lines.medium:
        return "medium"
    return "low" if shown.entities else "info"


def _day(ts_ns: int) -> dt.date:
    """The day in Asia/Shanghai (UTC+8 all year), the calendar of the Chinese rules."""
    try:
        return dt.datetime.fromtimestamp(ts_ns // NANOS + 8 * 3600, dt.UTC).date()
    except (OverflowError, ValueError, OSError):
        return dt.date(1970, 1, 1)


def _holds(condition: Condition, shown: Shown) -> bool:
    bounds = (
        (condition.persons_min, condition.persons_max, shown.persons),
        (condition.persons_sensitive_min, condition.persons_sensitive_max, shown.persons_sensitive),
    )
    for low, high, value in bounds:
        if (low is not None and value < low) or (high is not None and value > high):
            return False
    if condition.class_seen and not shown.classes.intersection(condition.class_seen):
        return False
    return not condition.entity_seen or bool(shown.entities.intersection(condition.entity_seen))
