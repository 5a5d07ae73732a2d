"""What a person sees at the end of a run: a table of transfers, the people concerned, what could not be read.

Colours and boxes only on a terminal; a pipe gets plain columns. Reads the summary record and the alerts file.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from sensor.output.summary import ENTITY_EN

ROWS: Final = 20
_STYLE: Final = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan", "info": "dim"}
_ORDER: Final = {name: rank for rank, name in enumerate(("critical", "high", "medium", "low", "info"))}


def size_text(count: float) -> str:
    """Bytes for people, decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def interval(persons: Mapping[str, int]) -> str:
    """`12` or `12-40`."""
    return str(persons["max"]) if persons["min"] == persons["max"] else f"{persons['min']}-{persons['max']}"


def worst_first(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Alerts by severity, then people, then time."""
    return sorted(alerts, key=lambda a: (_ORDER[a["severity"]], -a["persons"]["max"], a["ts_first"], a["alert_id"]))


def read_alerts(path: Path) -> list[dict[str, Any]]:
    """The alerts of a finished run."""
    with path.open("rb") as lines:
        return [msgspec.json.decode(line) for line in lines]


@contextlib.contextmanager
def progress_bar(captures: Sequence[str], *, shown: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on standard error; yields the callback the pipeline reports to, or None when not shown."""
    if not shown:
        yield None
        return
    sizes = {Path(path).name: Path(path).stat().st_size for path in captures if path != "-"}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=sum(sizes.values()) or None)
        done: dict[str, int] = {}

        def update(name: str, consumed: int, frames: int) -> None:
            done[name] = consumed
            bar.update(task, completed=sum(done.values()), description=f"{name}  {frames:,} packets")

        yield update


def show(console: Console, summary: Mapping[str, Any], alerts: list[dict[str, Any]], folder: Path) -> None:
    """Print the result of a run."""
    if alerts:
        console.print(_transfers(alerts))
        if len(alerts) > ROWS:
            console.print(f"… and {len(alerts) - ROWS} more in {folder / 'alerts.jsonl'}")
    else:
        console.print("No transfer with findings crossed the border.", style="bold")
    console.print()
    for line in _closing(summary):
        console.print(line)
    console.print(f"Written to {folder}/: alerts.jsonl findings.jsonl events.jsonl summary.json report.html")


def _transfers(alerts: list[dict[str, Any]]) -> Table:
    """Four columns, so that a terminal of 80 columns shows whole words."""
    table = Table(box=box.SIMPLE_HEAD, title="Transfers that crossed the border", title_justify="left", pad_edge=False)
    table.add_column("severity", no_wrap=True)
    table.add_column("sender → receiver", no_wrap=True)
    table.add_column("people", justify="right", no_wrap=True)
    table.add_column("found", overflow="fold")
    for alert in worst_first(alerts)[:ROWS]:
        kinds = [f"{row['distinct']} × {ENTITY_EN.get(row['entity'], row['entity'])}" for row in alert["findings"][:5]]
        if len(alert["findings"]) > len(kinds):
            kinds.append(f"{len(alert['findings']) - len(kinds)} more kinds")
        place = alert["findings"][0]["where"][:1]
        table.add_row(
            Text(alert["severity"], style=_STYLE[alert["severity"]]),
            f"{_end(alert['sender'])} →\n{_end(alert['receiver'])}",
            interval(alert["persons"]),
            Text.assemble(", ".join(kinds), "\n", (f"{alert['app_proto']}, {place[0][:120] if place else ''}", "dim")),
        )
    return table


def _end(party: Mapping[str, Any]) -> str:
    return f"{party['country'] or party['zone']:3}{party['ip']}"


def _closing(summary: Mapping[str, Any]) -> list[str]:
    border = summary["border"]
    packets = summary["packets"]
    bytes_of = border["bytes"]
    people, countries = interval(summary["persons"]), len(summary["countries"])
    left, came, stayed = (size_text(bytes_of.get(name, 0)) for name in ("export", "import", "domestic"))
    lines = [f"People concerned: {people} in {summary['alerts']} transfers to {countries} countries."]
    lines.append(
        f"Seen {packets['seen']:,} packets; {packets['kept']:,} belong to flows that were inspected; "
        f"{left} left home, {came} came in, {stayed} stayed."
    )
    blind: dict[str, int] = {}
    for row in summary["blind_spots"]:
        blind[row["reason"]] = blind.get(row["reason"], 0) + row["bytes"]
    if blind:
        parts = ", ".join(
            f"{size_text(count)} {reason}" for reason, count in sorted(blind.items(), key=lambda r: -r[1])
        )
        lines.append(f"Not readable on flows that crossed: {parts}. Nothing can be said about these bytes.")
    lines.extend(
        f"Damaged: {damage['capture']} at offset {damage['offset']}: {damage['anomaly']} {damage['detail']}"
        for damage in summary["damage"]
    )
    lines.append("Indicative, not legal advice. IP geolocation by DB-IP (https://db-ip.com).")
    return lines
