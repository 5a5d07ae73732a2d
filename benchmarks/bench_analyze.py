"""Whole `bordertap analyze` of a capture, start-up included, in a process of its own.

Shows MB of capture per CPU-second (user + system, all processes) and peak resident memory, beside two yardsticks on
the same file in the same run: Hyperscan alone over the file's bytes with four strong shapes in one database, and
ripgrep with the same. Unfair to us: the yardsticks neither reassemble, decompress, decode nor judge. Unfair to them:
they cannot skip what does not cross the border; `--crossing 1` shows the other end. The file is read once before
timing, so the page cache is warm for all three.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import hyperscan
from traffic import generate

SHAPES = (
    r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]",
    r"1[3-9][0-9]{9}",
    r"62[0-9]{14,17}",
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,24}",
)
BLOCK = 1 << 26


def cpu(command: list[str]) -> tuple[float, float]:
    """CPU seconds and peak resident MB of a command and its children."""
    script = (
        "import resource,subprocess,sys,json;"
        "p=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.PIPE);"
        "u=resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([u.ru_utime+u.ru_stime,u.ru_maxrss/1024,p.returncode,p.stderr.decode()[-400:]]))"
    )
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    seconds, memory, code, errors = json.loads(done.stdout)
    if code not in {0, 1}:
        raise SystemExit(f"{command[0]} failed: {errors}")
    return seconds, memory


def naive(path: str) -> None:
    """Hyperscan with one database over the raw file."""
    database = hyperscan.Database()
    database.compile(expressions=[shape.encode() for shape in SHAPES], flags=[0] * len(SHAPES))
    hits = [0]

    def count(*_: object) -> None:
        hits[0] += 1

    with Path(path).open("rb") as source:
        while block := source.read(BLOCK):
            database.scan(block, match_event_handler=count)
    print(hits[0])


def measure(path: Path, repeat: int) -> dict[str, float]:
    """Best of `repeat` runs of each."""
    size = path.stat().st_size / 1e6
    with path.open("rb") as source:
        while source.read(BLOCK):
            pass
    best: dict[str, float] = {}
    memory = 0.0
    with tempfile.TemporaryDirectory() as out:
        commands = {
            "bordertap": [sys.executable, "-m", "sensor", "analyze", str(path), "--out", out, "--quiet"],
            "hyperscan alone": [sys.executable, __file__, "--naive", str(path)],
        }
        if shutil.which("rg"):
            patterns = [part for shape in SHAPES for part in ("-e", shape)]
            commands["ripgrep"] = ["rg", "-j1", "--no-unicode", "-a", "-o", "-c", *patterns, str(path)]
        for _ in range(repeat):
            for name, command in commands.items():
                seconds, peak = cpu(command)
                best[name] = min(best.get(name, 1e9), seconds)
                if name == "bordertap":
                    memory = max(memory, peak)
    ours = best["bordertap"]
    print(f"{path.name}: {size:.0f} MB")
    for name, seconds in best.items():
        print(f"  {name:16} {seconds:7.2f} CPU-s  {size / seconds:7.0f} MB per CPU-second  ratio {seconds / ours:5.2f}")
    print(f"  peak memory of bordertap: {memory:.0f} MB")
    return {"mb_per_cpu_s": size / ours, "peak_mb": memory, **{f"ratio {k}": v / ours for k, v in best.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("capture", nargs="?", type=Path, help="default: generated, seeded")
    parser.add_argument("--mb", type=int, default=1000)
    parser.add_argument("--crossing", type=float, default=0.2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--naive", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.naive:
        naive(str(options.capture))
        return
    path = options.capture
    if path is None:
        path = Path(__file__).parent / "cache" / f"http-{options.mb}-{options.crossing}.pcap"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            generate(path, size=options.mb * 10**6, crossing=options.crossing)
    measure(path, options.repeat)


if __name__ == "__main__":
    main()
