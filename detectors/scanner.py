"""The scanner: contents in, findings out.

`Engine` holds everything compiled and is shared; `ContentScan` is one content. Bytes are gathered into blocks at fixed
offsets of the content, whatever pieces they come in, with an overlap wide enough for the widest pattern; every match
belongs to the block in which it begins. Per block: charset, escapes, folding (each only where its marker stands), then
matches, then values. A content of any length needs memory for one block and its distinct values.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, Protocol

from detectors import base64runs, charset, fields, normalise, tally
from detectors.model import ContentHint, Pack, ScanResult
from detectors.resolve import Judge, Match, Surroundings
from detectors.shapes import Shapes, compile_shapes
from detectors.tally import Tally
from detectors.validators import load_validators
from detectors.view import Shifted, Step, View

BLOCK: Final = 262_144
LEFT: Final = 1024  # context before the first owned byte of a block
DEPTH: Final = 2  # base64 in base64
_WIDEST: Final = 16_384
LIMITS: Final[Mapping[str, int]] = MappingProxyType({**tally.LIMITS, "scan_block": BLOCK})
_MAIL_TYPES: Final = ("message/", "multipart/", "text/plain", "application/octet-stream")


class Finder(Protocol):
    """An engine: what it finds in one text."""

    name: str

    def find(self, text: bytes, gates: int) -> tuple[int, list[Match]]:
        """Gates open after this text, and all matches of open shapes, unordered."""

    def folds(self, text: bytes) -> bool:
        """True where one of normalise.FOLD_MARKS stands in the text."""

    def tells(self, text: bytes) -> list[tuple[int, int]]:
        """(end, index) of every base64 tell-tale, ascending."""


class Engine:
    """Compiled packs; immutable, shared by all scans of a process (not between threads)."""

    def __init__(
        self,
        packs: Sequence[Pack],
        *,
        token_key: bytes,
        profile: str = "gbt45574",
        engine: Literal["auto", "hyperscan", "portable"] = "auto",
        cache_dir: Path | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """Compile.

        Args:
            packs: what to look for.
            token_key: key of the tokens.
            profile: `gbt45574` or `gbt35273_conservative`: which class of an entity is reported.
            engine: `auto` takes Hyperscan where it loads.
            cache_dir: where compiled databases are kept; None: nowhere.
            limits: overrides of LIMITS.

        Raises:
            ValueError: unknown limit, or a pattern or validator name the packs should not hold.
            ImportError: `hyperscan` asked for and not there.
        """
        unknown = set(limits or {}) - set(LIMITS)
        if unknown:
            raise ValueError(f"unknown limits: {', '.join(sorted(unknown))}")
        self.limits: Mapping[str, int] = MappingProxyType({**LIMITS, **(limits or {})})
        self.shapes: Shapes = compile_shapes(packs)
        self.token_key = token_key
        self.profile = profile
        validators = load_validators()
        checks = [validators[e.validator].check if e.validator else None for e in self.shapes.entities]
        self.judge = Judge(self.shapes, checks)
        self.finder: Finder = _finder(engine, self.shapes, cache_dir)
        self.right = min(max(LEFT, self.shapes.widest + 64), _WIDEST)

    @property
    def name(self) -> str:
        """Which engine is at work."""
        return self.finder.name

    def open(self, hint: ContentHint) -> "ContentScan":
        """A scan of one content."""
        return ContentScan(self, hint)


def _finder(engine: str, shapes: Shapes, cache_dir: Path | None) -> Finder:
    if engine != "portable":
        try:
            from detectors.engine_hyperscan import HyperscanFinder  # noqa: PLC0415 - native, not everywhere
        except ImportError:
            if engine == "hyperscan":
                raise
        else:
            return HyperscanFinder(shapes, cache_dir)
    from detectors.engine_portable import PortableFinder  # noqa: PLC0415 - not needed beside Hyperscan

    return PortableFinder(shapes)


class ContentScan:
    """One content being scanned."""

    def __init__(self, engine: Engine, hint: ContentHint) -> None:
        self._engine = engine
        self._hint = hint
        self._parts: list[bytes] = []
        self._held = 0  # bytes in _parts
        self._base = 0  # offset of the first held byte
        self._owned = 0  # offset from which on matches are not yet entered
        self._size = 0
        self._gates = 0
        self._bom = ""
        self._fresh = True  # nothing processed since the start or the last gap
        self._around: Surroundings | None = None
        self._inner = Surroundings()
        self._last = -1  # offset behind the last value of the open record
        self._tally = Tally(engine.shapes.entities, engine.shapes.packs, engine.profile, engine.limits)

    def feed(self, data: bytes | memoryview) -> None:
        """Next bytes; the view need not stay valid."""
        if not data:
            return
        self._parts.append(bytes(data))
        self._held += len(data)
        self._size += len(data)
        if self._held >= self._engine.limits["scan_block"]:
            self._process(last=False)

    def gap(self) -> None:
        """Bytes are missing here: no value, character or record spans the place."""
        self._process(last=True)
        self._tally.end_record()
        self._last = -1
        self._bom = ""
        self._fresh = True

    def close(self) -> ScanResult:
        """The content ends."""
        self._process(last=True)
        return self._tally.close(self._engine.token_key, self._hint.where, self._size)

    def _process(self, *, last: bool) -> None:
        if not self._parts:
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        size, right = self._engine.limits["scan_block"], self._engine.right
        at = 0
        while len(data) - at >= size:
            block = data[at : at + size] if at or len(data) > size else data
            self._block(block, self._base + size - right)
            step = size - right - LEFT
            at += step
            self._base += step
        if last:
            if self._base + len(data) - at > self._owned or self._fresh:
                self._block(data[at:], self._base + len(data) - at + 1)
            self._base += len(data) - at
            self._owned = self._base
            self._parts, self._held = [], 0
        else:
            rest = data[at:]
            self._parts, self._held = [rest], len(rest)

    def _block(self, block: bytes, high: int) -> None:
        """Scan a block; matches that begin in _owned…high (offsets) are entered."""
        base = self._base
        if self._fresh:
            self._bom = _bom(block)
        name = charset.charset_of(block, self._hint.charset, self._bom)
        parity = bool(base % 2) if name.startswith("utf-16") and not self._fresh else False
        views = [charset.read(block[parity:], name, continued=not self._fresh)]
        offset = base + parity
        if not name.startswith("utf-16") and b"\0" in block:
            views += charset.wide_runs(block)
        self._fresh = False
        for number, view in enumerate(views):
            steps: tuple[Step, ...] = (Shifted(-offset), *view.steps) if offset else view.steps
            self._view(View(view.text, view.charset, steps), high, DEPTH, main=number == 0)
        self._owned = high

    def _view(self, view: View, high: int, depth: int, *, main: bool) -> None:
        engine = self._engine
        view = normalise.unescape(view, mail=self._hint.media_type.startswith(_MAIL_TYPES) or not self._hint.media_type)
        if not view.text.isascii() and engine.finder.folds(view.text):
            view = normalise.fold(view)
        self._gates, matches = engine.finder.find(view.text, self._gates)
        if matches:
            around = self._surroundings(view.text, main=main)
            first, stop = view.place(self._owned), view.place(high)
            last = view.place(self._last) if main and self._last >= self._base else -1
            if not main or last < 0:
                self._tally.end_record()
            end = engine.judge.judge(view, matches, first, stop, around, self._tally, last)
            if main:
                self._last = view.origin(end) if end > 0 else -1
            else:
                self._tally.end_record()
        elif main and self._around is None:
            self._surroundings(view.text, main=True)
        if depth:
            tells = engine.finder.tells(view.text)
            if tells:
                self._undo_base64(view, tells, high, depth)

    def _undo_base64(self, view: View, tells: list[tuple[int, int]], high: int, depth: int) -> None:
        for piece, steps in base64runs.decoded_runs(view, tells):
            name = charset.charset_of(piece)
            inner = charset.read(piece, name)
            last, self._last = self._last, -1
            self._view(View(inner.text, inner.charset, (*steps, *inner.steps)), high, depth - 1, main=False)
            self._last = last

    def _surroundings(self, text: bytes, *, main: bool) -> Surroundings:
        if main:
            if self._around is None:
                self._around = _look(text)
            return self._around
        found = _look(text)
        if found.header.delimiter and not found.header.names and found.header.delimiter == self._inner.header.delimiter:
            return self._inner
        self._inner = found
        return found


def _look(text: bytes) -> Surroundings:
    head = text[:4096].lstrip(b"\xef\xbb\xbf \t\r\n\0")
    json = head[:1] in {b"{", b"["} or head.count(b'":') + head.count(b'" :') >= 2
    return Surroundings(json, fields.NO_HEADER if json else fields.header_of(text[1:]))


def _bom(block: bytes) -> str:
    if block.startswith(b"\xff\xfe") and not block.startswith(b"\xff\xfe\0\0"):
        return "utf-16-le"
    return "utf-16-be" if block.startswith(b"\xfe\xff") else ""


def scan_bytes(engine: Engine, data: bytes | memoryview, hint: ContentHint) -> ScanResult:
    """Scan a whole content at once."""
    scan = engine.open(hint)
    scan.feed(data)
    return scan.close()
