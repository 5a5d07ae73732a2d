"""Capture files in, the five result files out: one process per worker, nothing shared; results added up at the end.

`analyze` is what the command line calls. Cost: one pass over the captures per worker.
"""

import multiprocessing
import multiprocessing.connection
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from sensor import __version__
from sensor.anomalies import Catalogue
from sensor.capture import CaptureError, open_capture
from sensor.clock import rfc3339, wall_ns
from sensor.counters import Counters
from sensor.ledger import balance
from sensor.limits import Limits
from sensor.output import summary as summaries
from sensor.output.jsonl import merge
from sensor.output.report import write_report
from sensor.pipeline import Outcome, Pipeline, all_anomalies, all_limits
from sensor.settings import Settings
from sensor.transfer import count_persons

Progress = Callable[[str, int, int], None]
_KINDS: Final = ("alerts", "findings", "events")


class WorkerError(Exception):
    """A worker process died; nothing complete can be said."""


class Result(msgspec.Struct, frozen=True):
    """A finished run."""

    summary: dict[str, Any]
    folder: Path
    incomplete: bool
    interrupted: bool


def in_order(captures: Sequence[str], limits: Limits) -> tuple[list[str], list[CaptureError]]:
    """Readable captures by the time of their first packet, and what is wrong with the others."""
    rows: list[tuple[int, int, str]] = []
    errors: list[CaptureError] = []
    for number, path in enumerate(captures):
        if len(captures) == 1 or path == "-":
            rows.append((0, number, path))
            continue
        try:
            capture = open_capture(path, limits)
            rows.append((capture.first_ts_ns() or 0, number, path))
            capture.close()
        except CaptureError as error:
            errors.append(error)
    return [path for _, _, path in sorted(rows)], errors


def analyze(
    settings: Settings,
    captures: Sequence[str],
    folder: Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    strict: bool = False,
) -> Result:
    """Analyse captures and write alerts.jsonl, findings.jsonl, events.jsonl, summary.json and report.html.

    Raises:
        CaptureError: no capture can be read.
        WorkerError: a worker process died.
        SettingsError, PackError, RuleError, OSError: as Pipeline.
    """
    limits = Limits(all_limits(), settings.limits)
    ordered, refused = in_order(captures, limits)
    if not ordered:
        raise refused[0]
    folder.mkdir(parents=True, exist_ok=True)
    if workers == 1:
        outcomes = [Pipeline(settings, folder, strict=strict).run(ordered, progress)]
    else:
        outcomes = _parallel(settings, folder, ordered, workers, progress)
    for kind in _KINDS:
        merge([getattr(outcome, kind) for outcome in outcomes], folder / f"{kind}.jsonl")
    summary = _summary(settings, outcomes, refused)
    _write(folder / "summary.json", msgspec.json.format(msgspec.json.encode(summary), indent=1))
    write_report(folder)
    return Result(
        summary,
        folder,
        incomplete=bool(summary["damage"] or summary["refused"]),
        interrupted=outcomes[0].interrupted,
    )


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(data + b"\n")
    draft.replace(path)


def _summary(settings: Settings, outcomes: Sequence[Outcome], refused: Sequence[CaptureError]) -> dict[str, Any]:
    first = outcomes[0]
    wide, own = Counters(first.wide), Counters()
    tally = summaries.Tally()
    for outcome in outcomes:
        own.update(outcome.own)
        tally.merge(outcome.tally)
    both = Counters(wide)
    both.update(own)
    seen = wide["frames_total",]
    about = {
        "made_by": f"bordertap {__version__}",
        "made_at": rfc3339(wall_ns()),
        "home": list(settings.home),
        "profile": settings.detect.profile,
        "captures": first.captures,
        "ts_first": rfc3339(first.first_ns) if seen else None,
        "ts_last": rfc3339(first.last_ns) if seen else None,
        "interrupted": first.interrupted,
        "refused": [str(error) for error in refused],
        "damage": msgspec.to_builtins(first.damage),
        **first.about,
        "packets": {"seen": seen, "kept": wide["kept_packets_total",], "dropped": wide.total("drops_total")},
        "ledger": [msgspec.to_builtins(line) for line in balance(wide, own)],
    }
    return summaries.build(tally, both, Catalogue(all_anomalies()), count_persons, about)


# ---------------------------------------------------------------- several workers
def _parallel(
    settings: Settings, folder: Path, captures: list[str], workers: int, progress: Progress | None
) -> list[Outcome]:
    context = multiprocessing.get_context("fork")
    pipes: list[Any] = []
    processes: list[Any] = []
    for number in range(workers):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(theirs, settings, folder, captures, number, workers), name=f"worker-{number}"
        )
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the workers got it too and finish in order
    try:
        return _collect(pipes, processes, progress)
    finally:
        signal.signal(signal.SIGINT, previous)
        for process in processes:
            process.join()


def _collect(pipes: list[Any], processes: list[Any], progress: Progress | None) -> list[Outcome]:
    results: dict[int, Outcome] = {}
    open_pipes = dict(zip(pipes, range(len(pipes)), strict=True))
    problem: BaseException | None = None
    while open_pipes:
        for ready in cast("list[Any]", multiprocessing.connection.wait(list(open_pipes))):
            number = open_pipes[ready]
            try:
                item = ready.recv()
            except EOFError:
                processes[number].join()
                code = processes[number].exitcode
                if number not in results and problem is None:
                    problem = WorkerError(f"worker {number} ended without a result (exit code {code})")
                del open_pipes[ready]
                continue
            if isinstance(item, Outcome):
                results[number] = item
            elif isinstance(item, BaseException):
                problem = problem or item
            elif progress is not None:
                progress(*item)
    if problem is not None:
        raise problem
    return [results[number] for number in sorted(results)]


def _work(
    pipe: multiprocessing.connection.Connection,
    settings: Settings,
    folder: Path,
    captures: list[str],
    number: int,
    workers: int,
) -> None:
    def report(name: str, consumed: int, frames: int) -> None:
        pipe.send((name, consumed, frames))

    try:
        pipeline = Pipeline(settings, folder, worker=number, workers=workers)
        pipe.send(pipeline.run(captures, report if number == 0 else None))
    except Exception as error:  # noqa: BLE001 - handed to the parent, which raises it
        pipe.send(error)
    finally:
        pipe.close()
