"""The operator's file as typed structs: default, range and one line of doc for every field.

In: a YAML file (PyYAML, safe loader) and overrides from the command line. Out: one immutable `Settings`.
Every mistake is reported at once, each with file, line, key and what is accepted; an unknown key names the nearest
known one. Cost: one pass over the YAML nodes. It does not know which limits exist: whoever knows the catalogue hands
the names in. The only module of the sensor that reads the environment.
"""

import difflib
import ipaddress
import os
import re
import secrets
import stat
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import yaml
from msgspec import Meta

CrossingName = Literal["export", "import", "transit", "domestic"]
Zone = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]  # ISO 3166-1 alpha-2, or EU

COMMAND_LINE: Final = "command line"
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)\Z")
_UNITS: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "s": 1,
    "min": 60,
    "h": 3600,
}
_LIMIT_MAX: Final = 2**40  # no cap of a process that must fit one machine is larger than a TiB
_RANDOM_KEY_BYTES: Final = 32
_SHORT_KEY_BYTES: Final = 16


# ------------------------------------------------------------------------------------------ the fields
class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of fields; each carries `Meta(description=…)`, which the sample file and `explain` print."""


class ScanSettings(_Section):
    """What is looked for, and in which traffic."""

    crossings: Annotated[
        tuple[CrossingName, ...], Meta(min_length=1, description="Crossings whose content is restored and scanned.")
    ] = ("export",)
    min_confidence: Annotated[
        float, Meta(ge=0.0, le=1.0, description="Findings below this confidence are counted but not reported.")
    ] = 0.5
    sensitivity_profile: Annotated[
        Literal["gbt45574", "gbt35273_conservative"],
        Meta(description="Which standard decides what is sensitive: GB/T 45574-2025, or also GB/T 35273-2020 App. B."),
    ] = "gbt45574"
    packs: Annotated[
        tuple[str, ...], Meta(description="Extra folders with signature packs, read after the built-in ones.")
    ] = ()


class GeoSettings(_Section):
    """How an address becomes a country."""

    database: Annotated[
        str | None, Meta(description="Country database (MMDB, also GeoLite2/GeoIP2); empty: the built-in one.")
    ] = None
    second: Annotated[
        bool, Meta(description="Ask the second built-in database too; where they disagree the alert says so.")
    ] = True
    unknown: Annotated[
        Literal["abroad", "home"], Meta(description="How an address of unknown country is treated (it is marked).")
    ] = "abroad"


class NetworkSetting(_Section):
    """One of the operator's own networks; the longest prefix wins, before any database."""

    prefix: Annotated[str, Meta(description="IPv4 or IPv6 prefix, such as 10.12.0.0/16.")]
    zone: Annotated[
        str, Meta(pattern=r"^([A-Z]{2})?$", description="Territory (ISO 3166-1 alpha-2); empty: the database decides.")
    ] = ""
    site: Annotated[str, Meta(max_length=80, description="Site shown beside the address.")] = ""
    entity: Annotated[str, Meta(max_length=80, description="Legal entity that runs the network.")] = ""
    name: Annotated[str, Meta(max_length=80, description="Name of the network.")] = ""


class PrivacySettings(_Section):
    """Masks and tokens."""

    token_key: Annotated[
        str | None, Meta(min_length=1, description="Key of the tokens, in this file (better: token_key_file).")
    ] = None
    token_key_file: Annotated[
        str | None, Meta(description="File that holds the key; it must not be readable by everyone.")
    ] = None
    token_key_env: Annotated[
        str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Environment variable that holds the key.")
    ] = "BORDERTAP_TOKEN_KEY"
    mask_accounts: Annotated[
        bool, Meta(description="Mask mail addresses of senders and recipients in events.jsonl as well.")
    ] = False


class ReassemblySettings(_Section):
    """How packets become streams."""

    overlap: Annotated[
        Literal["first", "last"], Meta(description="Which bytes win where segments of one flow contradict each other.")
    ] = "first"
    vlan_in_key: Annotated[bool, Meta(description="Keep flows of different VLANs apart.")] = False


class CaptureSettings(_Section):
    """How capture files are read."""

    duplicates: Annotated[
        bool, Meta(description="Remove frames that a mirror port delivered twice before counting them.")
    ] = True
    join: Annotated[
        Literal["auto", "always", "never"],
        Meta(description="Read several files as one capture: when they follow each other in time, always or never."),
    ] = "auto"


class OutputSettings(_Section):
    """What is written, and for whom."""

    report_language: Annotated[
        Literal["auto", "zh", "en"], Meta(description="Language in which the report opens; auto: the browser's.")
    ] = "auto"


class Settings(_Section):
    """Everything an operator may choose. Immutable; a reload builds a new one."""

    home: Annotated[
        tuple[Zone, ...],
        Meta(min_length=1, description="The protected territory. With CN, traffic to HK, MO and TW crosses the border."),
    ] = ("CN",)
    log: Annotated[
        Literal["crossing", "all", "none"], Meta(description="Which flows events.jsonl describes.")
    ] = "crossing"
    workers: Annotated[int, Meta(ge=1, le=256, description="Processes that share the packets.")] = 1
    scan: Annotated[ScanSettings, Meta(description="What is looked for, and in which traffic.")] = ScanSettings()
    geoip: Annotated[GeoSettings, Meta(description="How an address becomes a country.")] = GeoSettings()
    networks: Annotated[
        tuple[NetworkSetting, ...],
        Meta(description="Your own networks: prefix, zone, site, entity, name. The longest prefix wins."),
    ] = ()
    privacy: Annotated[PrivacySettings, Meta(description="Masks and tokens.")] = PrivacySettings()
    limits: Annotated[
        dict[str, int],
        Meta(description="Caps by name (`bordertap list limits`); sizes such as 8MiB and times such as 5min are accepted."),
    ] = {}
    reassembly: Annotated[ReassemblySettings, Meta(description="How packets become streams.")] = ReassemblySettings()
    capture: Annotated[CaptureSettings, Meta(description="How capture files are read.")] = CaptureSettings()
    output: Annotated[OutputSettings, Meta(description="What is written, and for whom.")] = OutputSettings()


# ------------------------------------------------------------------------------------------ the errors
class Problem(msgspec.Struct, frozen=True):
    """One mistake: where it stands (`line` 0: not in a file) and what would be accepted."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.key, self.message) if part)


class SettingsError(Exception):
    """The operator's settings cannot be used; `problems` holds every mistake found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


# ------------------------------------------------------------------------------------------ reading
def load_settings(
    path: str | os.PathLike[str] | None,
    overrides: Mapping[str, Any] | None = None,
    *,
    limit_names: Iterable[str] | None = None,
) -> Settings:
    """The settings of `path` (None: defaults) with `overrides` on top.

    Args:
        path: YAML file.
        overrides: values by key, nested (`{"scan": {"min_confidence": 0.7}}`) or dotted; None values are left out.
        limit_names: names that `limits` may use; None: not checked here.

    Raises:
        SettingsError: with every mistake of the file and of the overrides.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    known = None if limit_names is None else frozenset(limit_names)
    if path is not None:
        node = _compose_file(os.fspath(path), problems)
        values = _Reader(os.fspath(path), problems, known).section(Settings, node, "")
    nested = _nested(overrides or {})
    if nested:
        node = yaml.compose(yaml.safe_dump(nested, allow_unicode=True), Loader=yaml.SafeLoader)
        _overlay(values, _Reader(COMMAND_LINE, problems, known, lines=False).section(Settings, node, ""))
    if problems:
        raise SettingsError(sorted(problems, key=lambda problem: (problem.file == COMMAND_LINE, problem.line)))
    return _built(Settings, values)


def _compose_file(path: str, problems: list[Problem]) -> yaml.Node | None:
    """The root node; a file that cannot be read or parsed is a problem."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        problems.append(Problem(path, 0, "", "is not UTF-8 text"))
        return None
    except OSError as error:
        problems.append(Problem(path, 0, "", f"cannot be read: {error.strerror}"))
        return None
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problems.append(Problem(path, line, "", f"is not YAML: {error.problem}"))
    except yaml.YAMLError as error:
        problems.append(Problem(path, 0, "", f"is not YAML: {str(error).splitlines()[0]}"))
    return None


def _nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys become nested mappings; None values are dropped, tuples become lists."""
    root: dict[str, Any] = {}
    for key, value in overrides.items():
        if value is None:
            continue
        *parents, last = key.split(".")
        at = root
        for parent in parents:
            at = at.setdefault(parent, {})
        if isinstance(value, Mapping):
            _overlay(at.setdefault(last, {}), _nested(value))
        else:
            at[last] = list(value) if isinstance(value, (tuple, frozenset, set)) else value
    return root


def _overlay(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _overlay(below[key], value)
        else:
            below[key] = value


def _built(kind: type[Any], values: Mapping[str, Any]) -> Any:
    """Structs from the nested, already checked values."""
    made = {}
    for field in msgspec.structs.fields(kind):
        if field.name in values:
            value, section = values[field.name], _section_of(field.type)
            made[field.name] = _built(section, value) if section else value
    return kind(**made)


def _bare(annotation: Any) -> Any:
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


def _section_of(annotation: Any) -> type[_Section] | None:
    bare = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, _Section) else None


def _wants_text(annotation: Any) -> bool:
    """Text is taken as written, so that `NO` stays Norway although YAML 1.1 reads it as false."""
    bare = _bare(annotation)
    if typing.get_origin(bare) is types.UnionType:
        return any(_wants_text(part) for part in typing.get_args(bare))
    return bare is str or typing.get_origin(bare) is Literal


class _Reader:
    """Walks the nodes of one source beside the structs and collects problems instead of raising."""

    def __init__(self, file: str, problems: list[Problem], limits: frozenset[str] | None, lines: bool = True) -> None:
        self.file = file
        self.problems = problems
        self.limits = limits
        self.lines = lines

    def problem(self, node: yaml.Node, key: str, message: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1 if self.lines else 0, key, message))

    def section(self, kind: type[_Section], node: yaml.Node | None, prefix: str) -> dict[str, Any]:
        """Checked values by field name; a wrong field is left out after its problem was noted."""
        values: dict[str, Any] = {}
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        for key, key_node, child in self._items(node, prefix):
            if key not in fields:
                self.problem(key_node, prefix + key, _unknown("key", key, fields))
            elif (section := _section_of(fields[key].type)) is not None:
                values[key] = self.section(section, child, f"{prefix}{key}.")
            elif not _is_null(child) or _allows_none(fields[key].type):
                self._field(fields[key], child, prefix + key, values)
        for name, field in fields.items():
            if field.required and name not in values and node is not None:
                self._missing(node, prefix + name)
        return values

    def _missing(self, node: yaml.Node, key: str) -> None:
        if not any(problem.key == key for problem in self.problems):
            self.problem(node, key, "is missing")

    def _items(self, node: yaml.Node | None, prefix: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        if node is None or _is_null(node):
            return
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, prefix.rstrip("."), "expects keys and values")
            return
        seen: set[str] = set()
        for key_node, child in node.value:
            key = str(key_node.value)
            if key in seen:
                self.problem(key_node, prefix + key, "is given twice")
                continue
            seen.add(key)
            yield key, key_node, child

    def _field(self, field: msgspec.structs.FieldInfo, node: yaml.Node, key: str, values: dict[str, Any]) -> None:
        if field.name == "networks":
            values[field.name] = self._networks(node, key)
        elif field.name == "limits":
            values[field.name] = self._limits(node, key)
        elif typing.get_origin(_bare(field.type)) is tuple:
            self._list(field, node, key, values)
        else:
            plain, ok = self._plain(field.type, node, key)
            if ok:
                self._convert(field, plain, node, key, values)

    def _list(self, field: msgspec.structs.FieldInfo, node: yaml.Node, key: str, values: dict[str, Any]) -> None:
        item_type = typing.get_args(_bare(field.type))[0]
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]  # one value stands for a list of one
        good: list[Any] = []
        for index, item in enumerate(items):
            plain, ok = self._plain(item_type, item, f"{key}[{index}]")
            if ok:
                try:
                    good.append(msgspec.convert(plain, item_type))
                except msgspec.ValidationError as error:
                    self.problem(item, f"{key}[{index}]", _explained(error, item_type, plain))
        if len(good) == len(items):
            self._convert(field, tuple(good), node, key, values)

    def _plain(self, annotation: Any, node: yaml.Node, key: str) -> tuple[Any, bool]:
        if isinstance(node, yaml.ScalarNode):
            if _wants_text(annotation) and not _is_null(node):
                return node.value, True
            try:
                return yaml.SafeLoader("").construct_object(node), True
            except (yaml.YAMLError, ValueError):
                self.problem(node, key, f"cannot be read as {node.tag.rpartition(':')[2]}")
                return None, False
        self.problem(node, key, f"expects one value, got {'keys' if isinstance(node, yaml.MappingNode) else 'a list'}")
        return None, False

    def _convert(
        self, field: msgspec.structs.FieldInfo, plain: Any, node: yaml.Node, key: str, values: dict[str, Any]
    ) -> None:
        try:
            values[field.name] = msgspec.convert(plain, field.type)
        except msgspec.ValidationError as error:
            self.problem(node, key, _explained(error, field.type, plain))

    def _networks(self, node: yaml.Node, key: str) -> tuple[NetworkSetting, ...]:
        if not isinstance(node, yaml.SequenceNode):
            self.problem(node, key, "expects a list of networks (prefix, zone, site, entity, name)")
            return ()
        found: dict[str, NetworkSetting] = {}
        for index, item in enumerate(node.value):
            before = len(self.problems)
            values = self.section(NetworkSetting, item, f"{key}[{index}].")
            if len(self.problems) > before:
                continue
            try:
                prefix = str(ipaddress.ip_network(values["prefix"]))
            except ValueError as error:
                self.problem(item, f"{key}[{index}].prefix", f"{error}; a prefix looks like 10.12.0.0/16")
                continue
            if prefix in found:
                self.problem(item, f"{key}[{index}].prefix", f"{prefix} is given twice")
            found[prefix] = NetworkSetting(**{**values, "prefix": prefix})
        return tuple(found.values())

    def _limits(self, node: yaml.Node, key: str) -> dict[str, int]:
        values: dict[str, int] = {}
        for name, key_node, child in self._items(node, f"{key}."):
            if self.limits is not None and name not in self.limits:
                self.problem(key_node, f"{key}.{name}", _unknown("limit", name, self.limits))
            elif (size := _size(str(child.value))) is None:
                self.problem(child, f"{key}.{name}", f"expects a number, a size (8MiB) or a time (5min), got {child.value!r}")
            else:
                values[name] = size
        return values


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _allows_none(annotation: Any) -> bool:
    return type(None) in typing.get_args(_bare(annotation))


def _size(text: str) -> int | None:
    """`8MiB`, `1.5 GB`, `5min`, `4096` → a whole number, or None."""
    match = _SIZE.match(text.strip().replace("_", ""))
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        return None
    value = float(match[1]) * unit if "." in match[1] else int(match[1]) * unit
    return int(value) if 0 <= value <= _LIMIT_MAX else None


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"unknown {what}" + (f"; did you mean {near[0]!r}?" if near else "")


def _explained(error: msgspec.ValidationError, annotation: Any, plain: Any) -> str:
    """What is accepted, in the operator's words."""
    bare = _bare(annotation)
    if typing.get_origin(bare) is Literal:
        choices = [str(choice) for choice in typing.get_args(bare)]
        near = difflib.get_close_matches(str(plain), choices, n=1)
        return f"expects one of {', '.join(choices)}, got {plain!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if annotation == Zone:
        return f"expects a country code of two capital letters (ISO 3166-1), got {plain!r}"
    return f"{str(error)[0].lower()}{str(error)[1:]}, got {plain!r}"


# ------------------------------------------------------------------------------------------ the token key
def token_key(settings: Settings, notice: Callable[[str], None] | None = None) -> bytes:
    """The HMAC key of the tokens: from the file, the environment, the settings, or random for this run.

    Ask once per run and hand the bytes to every worker: a random key differs at each call.

    Args:
        settings: whose `privacy` section names the key.
        notice: told, for people, that tokens will not be comparable between runs, or that the key is short.

    Raises:
        SettingsError: the key file cannot be read, is empty, or may be read by everyone.
    """
    privacy = settings.privacy
    tell = notice or (lambda _text: None)
    if privacy.token_key_file is not None:
        key = _key_from_file(privacy.token_key_file)
    else:
        key = (os.environ.get(privacy.token_key_env) or privacy.token_key or "").encode()
    if not key:
        tell(
            "no token key is set: tokens of this run cannot be compared with those of another run "
            f"(set privacy.token_key_file or the environment variable {privacy.token_key_env})"
        )
        return secrets.token_bytes(_RANDOM_KEY_BYTES)
    if len(key) < _SHORT_KEY_BYTES:
        tell(f"the token key is short ({len(key)} bytes): whoever guesses it can test values against tokens")
    return key


def _key_from_file(path: str) -> bytes:
    where = "privacy.token_key_file"
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read().strip()
    except OSError as error:
        raise SettingsError([Problem(path, 0, where, f"cannot be read: {error.strerror}")]) from error
    if stat.S_ISREG(mode) and mode & (stat.S_IROTH | stat.S_IWOTH):
        raise SettingsError([Problem(path, 0, where, f"may be read or written by everyone; run: chmod 600 {path}")])
    if not key:
        raise SettingsError([Problem(path, 0, where, "is empty")])
    return key
