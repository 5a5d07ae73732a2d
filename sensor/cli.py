"""The command line: what an operator types, what they see, and the exit code.

Exit codes: 0 done, 1 findings at or above `--fail-on`, 2 operator error, 3 input unreadable in part (the rest was
analysed and the report says what was not). Imports of the heavy parts wait until a command needs them, so `--help`
answers at once.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from sensor import __version__

if TYPE_CHECKING:
    from sensor.settings import Settings

DONE, FOUND, OPERATOR_ERROR, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130
SEVERITIES: Final = ("low", "medium", "high", "critical")
LISTS: Final = ("protocols", "formats", "entities", "packs", "validators", "anomalies", "limits")
_EXIT_CODES: Final = (
    "exit codes: 0 done, 1 findings at or above --fail-on, 2 operator error, 3 input unreadable in part"
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bordertap",
        description="Which personal or important data left the country, whose, where to, and was it allowed?",
        epilog="example: bordertap analyze capture.pcapng --out result    (bordertap COMMAND --help for more)",
    )
    parser.add_argument("--version", action="version", version=f"bordertap {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    analyze = commands.add_parser(
        "analyze",
        help="analyse capture files",
        description="Restore what crossed the border in captures, find personal and important data in it, judge it.",
        epilog=f"example: bordertap analyze monday.pcapng.zst captures/ --out result --home CN\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    analyze.add_argument(
        "captures", nargs="+", metavar="CAPTURE", help="pcap or pcapng, also gzip/zstd/xz; a folder; - for stdin"
    )
    analyze.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the results, made if missing"
    )
    analyze.add_argument("--config", type=Path, metavar="FILE", help="settings (YAML); see bordertap check")
    analyze.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    analyze.add_argument("--home", action="append", metavar="CC", help="protected zone (default CN); may be repeated")
    analyze.add_argument(
        "--log", choices=("crossing", "all", "none"), help="flows to restore and log (default crossing)"
    )
    analyze.add_argument(
        "--keylog", type=Path, metavar="FILE", help="TLS key log; not used yet: TLS counts as unreadable"
    )
    analyze.add_argument(
        "--fail-on", choices=SEVERITIES, metavar="SEVERITY", help=f"exit 1 from this severity ({', '.join(SEVERITIES)})"
    )
    analyze.add_argument("--quiet", action="store_true", help="no progress, no table")
    analyze.set_defaults(run=_analyze)

    check = commands.add_parser(
        "check",
        help="validate settings and packs",
        description="Check a settings file and everything it names, then print the resolved settings.",
        epilog="example: bordertap check --config bordertap.yaml",
    )
    check.add_argument("--config", type=Path, metavar="FILE", help="settings (YAML); the defaults without one")
    check.set_defaults(run=_check)

    listing = commands.add_parser(
        "list",
        help="what the sensor knows: " + ", ".join(LISTS),
        description="Print one of the sensor's tables.",
        epilog="example: bordertap list entities",
    )
    listing.add_argument("what", choices=LISTS, metavar="WHAT", help=", ".join(LISTS))
    listing.set_defaults(run=_list)

    explain = commands.add_parser(
        "explain",
        help="what an entity, anomaly, limit or protocol means",
        description="Explain a name from a report: an entity, anomaly, limit, protocol or format.",
        epilog="example: bordertap explain cn_resident_id",
    )
    explain.add_argument("name", metavar="NAME")
    explain.set_defaults(run=_explain)

    report = commands.add_parser(
        "report",
        help="make report.html again from a result folder",
        description="Write report.html from the alerts.jsonl and summary.json of an earlier run.",
        epilog="example: bordertap report result",
    )
    report.add_argument("folder", type=Path, metavar="DIR")
    report.set_defaults(run=_report)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. A user's mistake gives one clear message and no traceback."""
    logging.basicConfig(format="bordertap: %(message)s", level=logging.WARNING)
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return _guarded(run, arguments)
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output left: nobody to tell
        sys.stderr.close()
        return DONE


def _guarded(run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a command; the operator's mistakes become messages and exit code 2."""
    from detectors.pack import PackError  # noqa: PLC0415 - see module docstring
    from geoip import DatabaseError  # noqa: PLC0415
    from sensor.capture import CaptureError  # noqa: PLC0415
    from sensor.compliance.rules import RuleError  # noqa: PLC0415
    from sensor.settings import SettingsError  # noqa: PLC0415
    from sensor.workers import WorkerError  # noqa: PLC0415

    try:
        return run(arguments)
    except (SettingsError, PackError, RuleError, DatabaseError, CaptureError, WorkerError) as error:
        for line in str(error).splitlines():
            _say(line)
    except BrokenPipeError:
        raise
    except OSError as error:
        _say(f"{error.filename or 'input/output'}: {error.strerror or error}")
    return OPERATOR_ERROR


def _say(line: str) -> None:
    sys.stderr.write(f"bordertap: {line}\n")


def _settings(path: Path | None) -> "Settings":
    from sensor.pipeline import all_limits  # noqa: PLC0415
    from sensor.settings import load  # noqa: PLC0415

    return load(path, {row.name: row.default for row in all_limits()})


def _analyze(arguments: argparse.Namespace) -> int:
    import msgspec  # noqa: PLC0415

    from sensor.capture import find_captures  # noqa: PLC0415
    from sensor.output.terminal import progress_bar, read_alerts, show  # noqa: PLC0415
    from sensor.settings import SettingsError  # noqa: PLC0415
    from sensor.workers import analyze  # noqa: PLC0415

    settings = _settings(arguments.config)
    if arguments.home:
        homes = tuple(code.strip().upper() for item in arguments.home for code in item.split(","))
        bad = [code for code in homes if len(code) != 2 or not code.isalpha()]
        if bad:
            raise SettingsError([f"--home {bad[0]}: not a two-letter country code such as CN"])
        settings = msgspec.structs.replace(settings, home=homes)
    if arguments.log:
        settings = msgspec.structs.replace(settings, log=arguments.log)
    if arguments.keylog is not None:
        _say("--keylog is not used yet: TLS is counted as unreadable")
    captures = find_captures(arguments.captures)
    if arguments.workers < 1 or (arguments.workers > 1 and "-" in captures):
        raise SettingsError([f"--workers {arguments.workers}: at least 1, and just 1 when reading from stdin"])
    if arguments.out.exists() and not arguments.out.is_dir():
        raise SettingsError([f"--out {arguments.out}: is a file; name a folder"])
    with progress_bar(captures, shown=not arguments.quiet and sys.stderr.isatty()) as progress:
        result = analyze(settings, captures, arguments.out, workers=arguments.workers, progress=progress)
    alerts = read_alerts(arguments.out / "alerts.jsonl")
    if not arguments.quiet:
        show(Console(soft_wrap=False), result.summary, alerts, arguments.out)
    for line in result.summary["refused"]:
        _say(line)
    if result.interrupted:
        _say("interrupted: the result covers what was read until then")
        return INTERRUPTED
    if result.incomplete:
        return INCOMPLETE
    ranks = ("info", *SEVERITIES)
    worst = max((ranks.index(alert["severity"]) for alert in alerts), default=0)
    return FOUND if arguments.fail_on and worst >= ranks.index(arguments.fail_on) else DONE


def _check(arguments: argparse.Namespace) -> int:
    from sensor.catalogue import check  # noqa: PLC0415
    from sensor.settings import dump  # noqa: PLC0415

    settings = _settings(arguments.config)
    notes = check(settings)
    sys.stdout.write(dump(settings))
    for note in notes:
        _say(note)
    return DONE


def _list(arguments: argparse.Namespace) -> int:
    from sensor.catalogue import rows  # noqa: PLC0415

    return _table(*rows(arguments.what))


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(*names, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=None if sys.stdout.isatty() else 160).print(table, markup=False)
    return DONE


def _explain(arguments: argparse.Namespace) -> int:
    from sensor.catalogue import explain  # noqa: PLC0415
    from sensor.settings import SettingsError  # noqa: PLC0415

    text, near = explain(arguments.name)
    if text is None:
        hint = f"; did you mean {near}?" if near else "; see bordertap list entities, anomalies, limits"
        raise SettingsError([f"explain: nothing is called '{arguments.name}'{hint}"])
    sys.stdout.write(text + "\n")
    return DONE


def _report(arguments: argparse.Namespace) -> int:
    from sensor.output.report import write_report  # noqa: PLC0415

    path = write_report(arguments.folder)
    sys.stdout.write(f"{path}\n")
    return DONE
