"""Rule files as typed values: `signatures/jurisdictions/*.yaml`.

A rule names its article, the days it is in force, a condition on what was measured, and what that indicates. Conditions
are closed tables of ranges and sets, no expressions: what a transfer shows either lies inside or it does not.
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
import yaml

Status = Literal["V0", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8"]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All given parts must hold; bounds are inclusive.

    Attributes:
        persons_min, persons_max: bounds of the distinct people in the transfer.
        persons_sensitive_min, persons_sensitive_max: … of those with sensitive data.
        class_seen: one of these classes (detectors.model.SensitivityClass) occurs.
        entity_seen: one of these entities occurs.
    """

    persons_min: int | None = None
    persons_max: int | None = None
    persons_sensitive_min: int | None = None
    persons_sensitive_max: int | None = None
    class_seen: tuple[str, ...] = ()
    entity_seen: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of a jurisdiction.

    Attributes:
        rule: public id.
        article: where it stands in the law.
        effective_from, effective_to: first and last day in force (None: still).
        when: what must be measured.
        unless: what must not be.
        status: verdict code, from V0 (nothing regulated seen) to V8 (not visible).
        reason_en, reason_zh: sentences; `{persons}` and `{persons_sensitive}` are filled in.
    """

    rule: str
    article: str
    effective_from: dt.date
    when: Condition
    status: Status
    reason_en: str
    reason_zh: str
    unless: Condition | None = None
    effective_to: dt.date | None = None


class Jurisdiction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule file."""

    jurisdiction: str
    version: str
    rules: tuple[Rule, ...]
    source: str = ""


class RuleError(Exception):
    """A rule file is wrong; `problems` lists what."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_rules(files: Iterable[Path]) -> tuple[Jurisdiction, ...]:
    """Read rule files.

    Raises:
        RuleError: a file cannot be read or is not a rule file.
    """
    loaded: list[Jurisdiction] = []
    problems: list[str] = []
    for path in files:
        try:
            loaded.append(msgspec.convert(yaml.safe_load(path.read_text("utf-8")), Jurisdiction))
        except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
            problems.append(f"{path}: {error}")
    if problems:
        raise RuleError(problems)
    return tuple(loaded)
