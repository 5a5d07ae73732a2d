"""Containers opened: members become contents of their own, containers in containers too.

In: a spooled container and its format. Out: results of the members; the container's own result carries the scan of
its member names, and of its raw bytes when nothing in it could be read. One Budget stands over the outermost
container and everything inside it: bytes, ratio, members, depth. What a cap leaves out is an anomaly that says how
much was inspected. A format module that raises is our bug: counted once here, the raw bytes are scanned instead.
"""

from contextlib import closing
from typing import Any, Final

from sensor.content.intake import Intake, Place
from sensor.content.result import ContentResult, add_scans
from sensor.content.setup import Container, ContentScan, Setup
from sensor.interfaces import AnomalyKind, Member, Refusal
from sensor.limits import Limit
from sensor.model import Anomaly

LIMITS: Final = (
    Limit(
        "unpack_bytes",
        1 << 30,
        "bytes",
        "truncate",
        "unpack_too_much",
        "Bytes unpacked from one content, all depths together.",
    ),
    Limit(
        "unpack_ratio",
        250,
        "ratio",
        "truncate",
        "unpack_bomb",
        "Bytes unpacked from one content per byte of it, once unpack_ratio_free is used up.",
    ),
    Limit(
        "unpack_ratio_free",
        16 << 20,
        "bytes",
        "truncate",
        "unpack_bomb",
        "Bytes unpacked from one content before the ratio is looked at.",
    ),
    Limit(
        "unpack_members",
        10_000,
        "count",
        "truncate",
        "unpack_too_many",
        "Members unpacked from one content, all depths together.",
    ),
    Limit(
        "unpack_depth",
        6,
        "count",
        "skip",
        "unpack_too_deep",
        "Containers in containers; a deeper one is searched as it is.",
    ),
    Limit(
        "unpack_hashed",
        256,
        "count",
        "truncate",
        "unpack_hashes_stop",
        "Members of one content that are hashed and logged as files; the rest is searched only.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "unpack_too_much",
        "medium",
        "A container holds more bytes than are unpacked; the detail says how much was inspected.",
        "Raise unpack_bytes if such contents are usual here.",
    ),
    AnomalyKind(
        "unpack_bomb",
        "high",
        "A container unpacks to far more than its size, as decompression bombs do; the rest was left out.",
        "Look at the sender; raise unpack_ratio if such contents are usual here.",
    ),
    AnomalyKind(
        "unpack_too_many",
        "medium",
        "A container has more members than are unpacked; the detail says how many were inspected.",
        "Raise unpack_members if such contents are usual here.",
    ),
    AnomalyKind(
        "unpack_too_deep",
        "medium",
        "Containers are nested deeper than is unpacked; the innermost was searched as it is.",
        "Look at the sender; deep nesting is a known way to hide content.",
    ),
    AnomalyKind(
        "unpack_hashes_stop",
        "info",
        "A container has many members; not all of them are hashed and logged as files, all are searched.",
        "Raise unpack_hashed if each must be logged.",
    ),
    AnomalyKind(
        "unpack_fault",
        "medium",
        "A format module failed on this container; its raw bytes were searched instead.",
        "Report it as a bug, with the container if it may be shared.",
    ),
    AnomalyKind(
        "archive_not_opened",
        "low",
        "An archive of a kind that is not opened here; only its raw bytes (names, stored members) were searched.",
        "See the blind-spot table for how much left in such archives.",
    ),
)


class Budget:
    """What may still be unpacked from one outermost container."""

    __slots__ = ("_by_ratio", "bytes_left", "bytes_used", "hashes_left", "members", "members_left", "spent")

    def __init__(self, setup: Setup, size: int) -> None:
        limits = setup.limits
        by_ratio = max(limits["unpack_ratio_free"], limits["unpack_ratio"] * size)
        self._by_ratio = by_ratio < limits["unpack_bytes"]
        self.bytes_left = min(by_ratio, limits["unpack_bytes"])
        self.bytes_used = 0
        self.members = 0
        self.members_left = limits["unpack_members"]
        self.hashes_left = limits["unpack_hashed"]
        self.spent = ""

    def take(self, size: int) -> int:
        """How many of `size` more bytes may be unpacked; less than asked for: the reason is in `spent`."""
        if size > self.bytes_left:
            size = self.bytes_left
            self.spent = self.spent or ("unpack_bomb" if self._by_ratio else "unpack_too_much")
        self.bytes_left -= size
        self.bytes_used += size
        return size

    def take_member(self) -> bool:
        """One more member?"""
        if not self.members_left:
            self.spent = self.spent or "unpack_too_many"
            return False
        self.members_left -= 1
        self.members += 1
        return True

    def so_far(self) -> str:
        """For the anomaly's detail."""
        return f"inspected {self.members} members, {self.bytes_used} bytes"


class _Opening:
    """One container being opened."""

    def __init__(self, setup: Setup, container: Container, result: ContentResult, budget: Budget) -> None:
        self.setup = setup
        self.container = container
        self.result = result
        self.budget = budget
        self.found: list[ContentResult] = []
        self.last = ""
        self.last_result: ContentResult | None = None
        self.accounted = False
        self._names: ContentScan | None = None

    def run(self) -> None:
        """Take every member; anything the format module raises is caught here and nowhere else."""
        spec, spool = self.container.spec, self.container.spool
        try:
            spool.file.seek(0)
            with closing(spec.unpack(spool.file, self.setup.limits)) as items:  # type: ignore[type-var]
                for item in items:
                    if isinstance(item, Refusal):
                        self._refusal(item)
                    elif not self._member(item):
                        break
        except Exception:  # noqa: BLE001 - our bug or a hostile file's: the raw bytes still reach the detectors
            self.setup.counters["faults_total", "content", spec.name] += 1
            self._note("unpack_fault", spec.name)
            self.result.complete = False
        if self._names is not None:
            self.result.scan = add_scans(self.result.scan, self._names.close())

    def _member(self, member: Member) -> bool:
        budget, result = self.budget, self.result
        if not budget.take_member():
            return self._stop()
        self._name(member.path)
        result.members += 1
        digest = self.container.digest and not member.is_text and budget.hashes_left > 0
        if digest:
            budget.hashes_left -= 1
            if not budget.hashes_left:
                self._note("unpack_hashes_stop", self.container.spec.name)
        place = Place(
            result.part,
            result.direction,
            result.tx,
            f"{result.path}!{member.path}",
            member.media_type,
            member.charset,
            member.path.rpartition("/")[2],
            depth=result.depth + 1,
        )
        intake = Intake(
            self.setup,
            place,
            self.container.anomalies,
            scan=True,
            digest=digest,
            text=member.is_text,
            budget=budget,
        )
        complete = False
        try:
            complete = self._pour(member, intake)
        finally:
            rows = intake.close(complete)
            self.last, self.last_result = member.path, rows[0]
            self.found.extend(rows)
        return self._stop() if budget.spent else True

    def _pour(self, member: Member, intake: Intake) -> bool:
        take = self.budget.take
        for piece in member.pieces:
            granted = take(len(piece))
            intake.feed(piece[:granted])
            if granted < len(piece):
                return False
        return True

    def _stop(self) -> bool:
        """The budget is spent; said once, by the container that ran into it."""
        self.result.complete = False
        if self.budget.spent != "said":
            self._note(self.budget.spent, self.budget.so_far())
            self.budget.spent = "said"
        return False

    def _refusal(self, refusal: Refusal) -> None:
        self._note(refusal.anomaly, refusal.detail or self.container.spec.name)
        self.result.complete = False
        if refusal.size:
            self.accounted = True
            self.result.skip(refusal.anomaly, refusal.size)
        if refusal.path == self.last and self.last_result is not None:
            self.last_result.complete = False
        elif refusal.path:
            self._name(refusal.path)

    def _name(self, path: str) -> None:
        """Member names are content too."""
        if self._names is None:
            self._names = self.setup.open_scan(_names_place(self.result).hint())
        self._names.feed(path.encode("utf-8", "surrogateescape") + b"\n")

    def _note(self, name: str, detail: str) -> None:
        self.container.anomalies.append(Anomaly(name, detail))


def open_container(setup: Setup, container: Container, result: ContentResult, budget: Any) -> list[ContentResult]:
    """Members' results; completes `result` (names scan, raw scan, skipped bytes, members)."""
    spool = container.spool
    if result.depth >= setup.limits["unpack_depth"]:
        container.anomalies.append(Anomaly("unpack_too_deep", container.spec.name))
        result.skip("unpack_too_deep", spool.size)
        result.scan = _scan_raw(setup, container, result)
        return []
    if budget is not None and budget.spent:
        result.scan = _scan_raw(setup, container, result)
        return []
    opening = _Opening(setup, container, result, budget or Budget(setup, spool.size))
    opening.run()
    if not result.members and not opening.accounted and not opening.budget.spent:
        result.scan = add_scans(result.scan, _scan_raw(setup, container, result))
    return opening.found


def _scan_raw(setup: Setup, container: Container, result: ContentResult) -> Any:
    place = Place(result.part, result.direction, result.tx, result.path, result.media_type, name=result.name)
    scan = setup.open_scan(place.hint())
    for piece in container.spool.read(0, container.spool.size):
        scan.feed(piece)
    return scan.close()


def _names_place(result: ContentResult) -> Place:
    return Place(result.part, result.direction, result.tx, f"{result.path}!names", "text/plain", "utf-8", is_field=True)
