"""The operator's file as typed structs: default, range and one-line doc per field.

`load(path)` reads YAML (safe loader), checks section by section and reports every error at once as a `SettingsError`:
file, line, key, what is wrong, what is accepted. The only module that reads the environment, at start only.
"""

import contextlib
import difflib
import ipaddress
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec
import yaml

TOKEN_KEY_VARIABLE: Final = "BORDERTAP_TOKEN_KEY"  # noqa: S105 - the name of a variable, not a secret
TOKEN_KEY_BYTES: Final = 16  # shortest key accepted, RFC 2104 section 3 advises the digest's length (32)

Log = Literal["crossing", "all", "none"]
Overlap = Literal["first", "last", "linux", "windows"]
Profile = Literal["gbt45574", "gbt35273_conservative"]


class NetworkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the operator's own networks.

    Attributes:
        prefix: CIDR, IPv4 or IPv6.
        zone: ISO 3166-1 alpha-2 code of the legal territory the hosts are in.
        entity: legal entity that runs them.
        site: place or data centre, for people.
    """

    prefix: str
    zone: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    entity: str = ""
    site: str = ""


class GeoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Country databases.

    Attributes:
        database: `default` (vendored) or the path of an .mmdb file (GeoLite2, GeoIP2 or alike).
        second: second opinion: `second` (vendored), `none`, or a path.
    """

    database: str = "default"
    second: str = "second"


class PrivacySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Masks and tokens.

    Attributes:
        token_key: key of the tokens: `env:NAME`, `file:PATH`, or empty: the variable BORDERTAP_TOKEN_KEY if set,
            else a random key made once in the state folder.
    """

    token_key: str = ""


class DetectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked for, and where.

    Attributes:
        packs: folders with further signature packs.
        profile: which standard decides what is sensitive.
        min_confidence: findings below it are not reported.
        engine: matching engine.
        scan: crossings whose content is scanned.
    """

    packs: tuple[str, ...] = ()
    profile: Profile = "gbt45574"
    min_confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    engine: Literal["auto", "hyperscan", "portable"] = "auto"
    scan: tuple[Literal["export", "import", "transit", "domestic"], ...] = ("export",)


class FlowSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Flows and reassembly.

    Attributes:
        overlap: which bytes win where TCP segments or IP fragments overlap and differ.
        vlan_in_key: the same addresses and ports in two VLANs are two flows.
        duplicates: recognise packets that the mirror port delivers twice.
    """

    overlap: Overlap = "first"
    vlan_in_key: bool = False
    duplicates: bool = True


class SeveritySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People in one transfer from which an alert gets a severity.

    Attributes:
        medium: distinct people, any personal data.
        high: distinct people, any personal data.
        high_sensitive: distinct people with sensitive personal data.
        critical: distinct people, any personal data.
    """

    medium: Annotated[int, msgspec.Meta(ge=1)] = 1
    high: Annotated[int, msgspec.Meta(ge=1)] = 100
    high_sensitive: Annotated[int, msgspec.Meta(ge=1)] = 10
    critical: Annotated[int, msgspec.Meta(ge=1)] = 10_000


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything an operator can set.

    Attributes:
        home: zones the operator protects; leaving them is a crossing.
        unknown_zone: how an address without a country is treated.
        log: flows that are restored and logged.
        networks: own networks, looked up before any database.
        geo: country databases.
        privacy: masks and tokens.
        detect: what is looked for.
        flow: flows and reassembly.
        severity: people from which an alert gets a severity.
        limits: caps by name, overriding their defaults (`bordertap list limits`).
    """

    home: tuple[Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")], ...] = ("CN",)
    unknown_zone: Literal["abroad", "home", "skip"] = "abroad"
    log: Log = "crossing"
    networks: tuple[NetworkSettings, ...] = ()
    geo: GeoSettings = GeoSettings()
    privacy: PrivacySettings = PrivacySettings()
    detect: DetectSettings = DetectSettings()
    flow: FlowSettings = FlowSettings()
    severity: SeveritySettings = SeveritySettings()
    limits: dict[str, int] = {}


class SettingsError(Exception):
    """The operator's file has mistakes; `problems` lists all of them, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: str | Path | None, known_limits: Mapping[str, int] | None = None) -> Settings:
    """Settings of a YAML file; defaults without one.

    Args:
        path: the file, or None.
        known_limits: cap name → default, to check the `limits` section.

    Raises:
        SettingsError: every mistake of the file.
    """
    if path is None:
        return Settings()
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError([f"{path}: cannot be read: {reason}"]) from None
    try:
        data = yaml.safe_load(text)
        checker = _Checker(str(path), text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise SettingsError([f"{where}: not valid YAML: {getattr(error, 'problem', '') or error}"]) from None
    if data is None:
        return Settings()
    if not isinstance(data, dict):
        raise SettingsError([f"{path}:1: the file must hold keys with values, such as 'home: [CN]'"])
    values = checker.sections(data)
    checker.check_limits(values.get("limits", {}), known_limits)
    checker.check_networks(values.get("networks", ()))
    if checker.problems:
        raise SettingsError(checker.problems)
    return Settings(**values)


class _Checker:
    """Converts key by key, so that one mistake does not hide the next; collects `problems` with their lines."""

    def __init__(self, path: str, text: str) -> None:
        self.problems: list[str] = []
        self._path = path
        self._lines = _key_lines(text)

    def sections(self, data: dict[Any, Any]) -> dict[str, Any]:
        """The values of the keys that are right."""
        hints = get_type_hints(Settings, include_extras=True)
        values: dict[str, Any] = {}
        for key, value in data.items():
            kind = hints.get(key)
            if kind is None:
                self._unknown((str(key),), hints)
            elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
                values[key] = kind(**self._section(key, value, kind))
            else:
                wrapped = [value] if key == "home" and isinstance(value, str) else value
                self._keep(values, (key,), wrapped, kind)
        return values

    def _section(self, key: str, value: dict[Any, Any], kind: type) -> dict[str, Any]:
        hints = get_type_hints(kind, include_extras=True)
        good: dict[str, Any] = {}
        for name, item in value.items():
            if name in hints:
                self._keep(good, (key, name), item, hints[name])
            else:
                self._unknown((key, str(name)), hints)
        return good

    def _keep(self, values: dict[str, Any], key: tuple[str, ...], value: Any, kind: Any) -> None:
        try:
            values[key[-1]] = msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            inside = str(error).replace(" - at `$", " - at `" + ".".join(key))
            self._problem(key, f"{'.'.join(key)}: {inside}{_choices(kind)}")

    def check_limits(self, overrides: Mapping[str, int], known: Mapping[str, int] | None) -> None:
        """Names must be known, values not negative."""
        for name, value in overrides.items() if known is not None else ():
            if name not in (known or {}):
                self._unknown(("limits", name), known or {})
            elif value < 0:
                self._problem(("limits", name), f"limits.{name}: {value} is negative")

    def check_networks(self, networks: tuple[NetworkSettings, ...]) -> None:
        """Prefixes must be CIDR without host bits."""
        for row in networks:
            try:
                ipaddress.ip_network(row.prefix)
            except ValueError as error:
                self._problem(("networks",), f"networks: {error}")

    def _unknown(self, key: tuple[str, ...], known: Mapping[str, Any]) -> None:
        near = difflib.get_close_matches(key[-1], known, 1, 0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
        self._problem(key, f"unknown key '{'.'.join(key)}'; {hint}")

    def _problem(self, key: tuple[str, ...], text: str) -> None:
        where = f"{self._path}:{self._lines[key]}" if key in self._lines else self._path
        self.problems.append(f"{where}: {text}")


def _choices(kind: Any) -> str:
    options = getattr(kind, "__args__", ()) if getattr(kind, "__origin__", None) is Literal else ()
    return f" (one of: {', '.join(map(str, options))})" if options else ""


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Line of each key of the first two levels."""
    found: dict[tuple[str, ...], int] = {}
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return found
    for key, value in root.value:
        found[str(key.value),] = key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode):
            for inner, _ in value.value:
                found[str(key.value), str(inner.value)] = inner.start_mark.line + 1
    return found


def token_key(settings: PrivacySettings, problems_at: str = "privacy.token_key") -> bytes:
    """The key of the tokens (UTF-8 text without surrounding blanks).

    Raises:
        SettingsError: the variable or file is missing, or the key is too short.
    """
    source = settings.token_key
    if not source:
        text = os.environ.get(TOKEN_KEY_VARIABLE) or _state_key()
    elif source.startswith("env:"):
        text = os.environ.get(source[4:], "")
        if not text:
            raise SettingsError([f"{problems_at}: the environment variable {source[4:]} is not set"])
    else:
        path = Path(source.removeprefix("file:"))
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SettingsError([f"{problems_at}: {path} cannot be read: {reason}"]) from None
    key = text.strip().encode()
    if len(key) < TOKEN_KEY_BYTES:
        raise SettingsError([f"{problems_at}: the key has {len(key)} bytes, at least {TOKEN_KEY_BYTES} are needed"])
    return key


def _folder(variable: str, fallback: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / fallback) / "bordertap"


def cache_folder() -> Path:
    """Derived tables and compiled pattern databases; may be removed at any time (XDG_CACHE_HOME)."""
    return _folder("XDG_CACHE_HOME", ".cache")


def _state_key() -> str:
    """A random key, made once and kept (XDG_STATE_HOME), so that runs on one machine give the same tokens."""
    path = _folder("XDG_STATE_HOME", ".local/state") / "token.key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
            with os.fdopen(descriptor, "w") as out:
                out.write(secrets.token_hex(32) + "\n")
            with contextlib.suppress(FileExistsError):  # another run was faster: its key counts
                Path(path).hardlink_to(draft)
            Path(draft).unlink()
        return path.read_text("utf-8")
    except OSError as error:
        remedy = f"set {TOKEN_KEY_VARIABLE} or privacy.token_key"
        raise SettingsError([f"{path}: the token key cannot be kept there: {error.strerror}; {remedy}"]) from None


def dump(settings: Settings) -> str:
    """The resolved settings as YAML."""
    return yaml.safe_dump(msgspec.to_builtins(settings), sort_keys=False, allow_unicode=True)
