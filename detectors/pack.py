"""Signature packs: YAML files into typed `Pack` values, every mistake reported at once.

In: folders (each `*.yaml` in it is a pack, sub-folders are not entered). Out: packs in the order of folders, then file
names. A file of the operator is judged by the same rules as the shipped ones: known keys, types, names of validators
and forms, patterns inside the subset (`pattern_subset`), context where a pattern is gated, each entity id once.

The usual case is a file without mistakes, so the plain path converts the whole file at once; only when it finds a
mistake are lines looked up and the entities taken apart.
"""

import difflib
import functools
import importlib.resources
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from detectors.mask import CANONICAL_FORMS, MASK_FORMS
from detectors.model import Entity, Pack, Pattern
from detectors.pattern_subset import flaw
from detectors.validators import load_validators

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,62}")
_PATH: Final = re.compile(r" - at `\$([^`]*)`$")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")

_Keys = tuple[str | int, ...]


class PackError(Exception):
    """Packs have mistakes; `problems` lists all of them: file, line, key, what is wrong, what is accepted."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def shipped_packs() -> Path:
    """The folder `signatures` that comes with the program: beside this package, in a source tree and installed."""
    return Path(str(importlib.resources.files("detectors"))).parent / "signatures"


@functools.cache
def _validator_names() -> frozenset[str]:
    return frozenset(load_validators())


def load_packs(folders: Sequence[Path]) -> tuple[Pack, ...]:
    """Read every pack of the folders.

    Args:
        folders: each `*.yaml` directly inside is read, in order of file names.

    Raises:
        PackError: everything that is wrong in any of them.
    """
    problems: list[str] = []
    packs: list[Pack] = []
    owners: dict[str, str] = {}
    for folder in folders:
        if not folder.is_dir():
            problems.append(f"{folder}: no such folder of packs")
            continue
        for path in sorted(folder.glob("*.yaml")):
            reader = _Reader(path)
            pack = reader.read()
            if pack is not None:
                for i, entity in enumerate(pack.entities):
                    if entity.id in owners:
                        reader.report(("entities", i, "id"), entity.id, f"already declared in {owners[entity.id]}")
                    owners.setdefault(entity.id, str(path))
                packs.append(pack)
            problems += reader.problems
    if problems:
        raise PackError(problems)
    return tuple(packs)


class _Reader:
    """One file: its pack or its problems."""

    def __init__(self, path: Path) -> None:
        self.problems: list[str] = []
        self._path = path
        self._text = ""

    def read(self) -> Pack | None:
        """The pack; None where the file cannot be understood at all (a problem says why)."""
        try:
            self._text = self._path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.problems.append(f"{self._path}: cannot be read: {reason}")
            return None
        try:
            raw = yaml.load(self._text, Loader=_LOADER)  # noqa: S506 - a safe loader, the compiled one where there is one
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{self._path}:{mark.line + 1}:{mark.column + 1}" if mark else str(self._path)
            self.problems.append(f"{where}: not valid YAML: {getattr(error, 'problem', '') or error}")
            return None
        except RecursionError:
            self.problems.append(f"{self._path}: nested too deeply")
            return None
        try:
            pack = msgspec.convert(raw, Pack)
        except msgspec.ValidationError:
            self._take_apart(raw)
            return None
        self._judge(pack)
        return pack

    def report(self, keys: _Keys, value: object, message: str, pointer: str = "") -> None:
        """Add a problem at the line of `keys`."""
        name = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).lstrip(".")
        shown = f" {str(value)[:80]!r}" if value != "" else ""
        self.problems.append(f"{self._path}:{self._line(keys)}: {name}:{shown} {message}{pointer}")

    # -- meaning: the file has the right shape --------------------------------------------------------------------

    def _judge(self, pack: Pack) -> None:
        if _NAME.fullmatch(pack.pack) is None:
            self.report(("pack",), pack.pack, "a name is lower-case letters, digits and _")
        for i, entity in enumerate(pack.entities):
            self._judge_entity(("entities", i), entity)

    def _judge_entity(self, at: _Keys, entity: Entity) -> None:
        if _NAME.fullmatch(entity.id) is None:
            self.report((*at, "id"), entity.id, "a name is lower-case letters, digits and _")
        for language in ("zh", "en"):
            if not entity.title.get(language):
                self.report((*at, "title"), "", f"needs a name in {language}")
        if entity.validator and entity.validator not in _validator_names():
            self._unknown_name((*at, "validator"), entity.validator, _validator_names())
        if entity.mask not in MASK_FORMS:
            self._unknown_name((*at, "mask"), entity.mask, MASK_FORMS)
        if entity.canonical not in CANONICAL_FORMS:
            self._unknown_name((*at, "canonical"), entity.canonical, CANONICAL_FORMS)
        if not 0 < entity.random_pass_rate <= 1:
            self.report((*at, "random_pass_rate"), entity.random_pass_rate, "must be above 0 and at most 1")
        if not entity.patterns and not (entity.keyword and entity.context):
            self.report((*at, "patterns"), "", "needs a pattern, or keyword: true with context words")
        needs = entity.needs_context or any(p.gated for p in entity.patterns)
        if needs and not entity.context:
            self.report((*at, "context"), "", "gated patterns and needs_context want context words")
        for k, word in enumerate(entity.context):
            if not word.strip():
                self.report((*at, "context", k), word, "an empty word")
        for k, pattern in enumerate(entity.patterns):
            self._judge_pattern((*at, "patterns", k), pattern)

    def _judge_pattern(self, at: _Keys, pattern: Pattern) -> None:
        if not 0 <= pattern.confidence <= 1:
            self.report((*at, "confidence"), pattern.confidence, "must be between 0 and 1")
        found = flaw(pattern.regex)
        if found is not None:
            pointer = f"\n    {pattern.regex}\n    {' ' * found.at}{_underline(found.width)}"
            self.report((*at, "regex"), "", found.reason, pointer)

    def _unknown_name(self, at: _Keys, name: str, known: Mapping[str, Any] | frozenset[str]) -> None:
        near = difflib.get_close_matches(name, known, 1, 0.6)
        hint = f"did you mean {near[0]!r}? " if near else ""
        self.report(at, name, f"is unknown; {hint}known: {', '.join(sorted(known))}")

    # -- shape: find every key that is wrong ----------------------------------------------------------------------

    def _take_apart(self, raw: object) -> None:
        if not isinstance(raw, dict):
            self.problems.append(f"{self._path}:1: must be a mapping with the keys pack, version, entities")
            return
        self._fields((), raw, Pack, {"entities": self._entities})

    def _entities(self, at: _Keys, raw: object) -> None:
        for i, item in enumerate(self._rows(at, raw)):
            self._fields((*at, i), item, Entity, {"patterns": self._patterns})

    def _patterns(self, at: _Keys, raw: object) -> None:
        for i, item in enumerate(self._rows(at, raw)):
            self._fields((*at, i), item, Pattern, {})

    def _rows(self, at: _Keys, raw: object) -> Iterator[object]:
        if isinstance(raw, list):
            yield from raw
        else:
            self.report(at, "", "must be a list")

    def _fields(
        self, at: _Keys, raw: object, kind: type[msgspec.Struct], inner: Mapping[str, Callable[[_Keys, object], None]]
    ) -> None:
        if not isinstance(raw, dict):
            self.report(at, raw, f"must hold keys of {kind.__name__.lower()}")
            return
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        for key, value in raw.items():
            if key not in fields:
                near = difflib.get_close_matches(str(key), fields, 1, 0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(fields)}"
                self.report((*at, str(key)), "", f"unknown key; {hint}")
            elif key in inner:
                inner[key]((*at, key), value)
            else:
                self._value((*at, key), value, fields[key].type)
        for name, field in fields.items():
            if field.required and name not in raw:
                self.report((*at, name), "", "is missing")

    def _value(self, at: _Keys, value: object, kind: Any) -> None:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            inside = _PATH.search(str(error))
            steps = _STEP.findall(inside[1]) if inside else []
            deeper = tuple(int(index) if index else name for name, index in steps)
            options = getattr(kind, "__args__", ()) if "enum value" in str(error) else ()
            hint = f" (one of: {', '.join(str(o) for o in options)})" if options else ""
            shown = "" if isinstance(value, (dict, list)) else value
            self.report((*at, *deeper), "" if shown is None else shown, _PATH.sub("", str(error)) + hint)

    # -- lines ----------------------------------------------------------------------------------------------------

    def _line(self, keys: _Keys) -> int:
        """Line of the deepest of `keys` that exists."""
        here = self._root
        line = 1
        for key in keys:
            step = _child(here, key)
            if step is None:
                break
            line, here = step
        return line

    @functools.cached_property
    def _root(self) -> Any:
        return yaml.compose(self._text, Loader=_LOADER)


def _child(here: Any, key: str | int) -> tuple[int, Any] | None:
    """Line and node of a key or index below a YAML node."""
    if isinstance(here, yaml.MappingNode):
        for name, value in here.value:
            if name.value == str(key):
                return name.start_mark.line + 1, value
    elif isinstance(here, yaml.SequenceNode) and isinstance(key, int) and key < len(here.value):
        node = here.value[key]
        return node.start_mark.line + 1, node
    return None


def _underline(width: int) -> str:
    """`^` for one character, `~~~^` for more."""
    return "~" * (width - 1) + "^"
