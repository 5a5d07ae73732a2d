"""Scores the sensor against captures with known truth (`make corpus CORPUS=folder`).

The folder holds `corpus/` (captures by group, `truth/`, `score.py`) and `conformance/` (`manifest.jsonl`, `pcaps/`,
`score.py`). Either may be missing. The captures are a yardstick: nothing in the product knows their names or values.
Every capture is analysed in this process, one after the other; findings and events go to a temporary folder.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sensor.settings import Settings
from sensor.workers import analyze

GROUPS = ("http", "benign", "nasty")


def results(captures: list[Path], out: Path, log: str) -> list[str]:
    """Analyse each capture into its own folder; returns what went wrong."""
    problems = []
    settings = Settings(log=log)
    for number, path in enumerate(captures, 1):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number}/{len(captures)} {path.name[:60]:60}")
        try:
            analyze(settings, [str(path)], out / path.stem, strict=False)
        except Exception as error:  # noqa: BLE001 - listed at the end, the other captures count
            problems.append(f"{path.name}: {type(error).__name__}: {error}")
    sys.stderr.write("\n")
    return problems


def planted(root: Path, out: Path, groups: tuple[str, ...]) -> None:
    """Planted people and decoys."""
    captures = sorted(path for group in groups for path in (root / group).glob("*.pcap*"))
    problems = results(captures, out, "crossing")
    together = out / "all.findings"
    with together.open("wb") as target:
        for path in captures:
            source = out / path.stem / "findings.jsonl"
            if source.exists():
                target.write(source.read_bytes())
    names = {path.stem for path in captures}
    truth = out / "truth"
    truth.mkdir()
    for path in (root / "truth").glob("*.json"):
        if path.stem in names:
            (truth / path.name).symlink_to(path)
    command = [root / "score.py", "--truth", truth, "--alerts", together, "--direction-scope", "export"]
    subprocess.run([sys.executable, *command, "--list-missed", "80", "--list-false", "40"], check=True)
    for line in problems:
        print("FAILED", line)


def transactions(root: Path, out: Path, protocol: str) -> None:
    """Transactions and files that other projects' tests expect."""
    rows = [json.loads(line) for line in (root / "manifest.jsonl").open()]

    def concerns(row: dict) -> bool:
        seen = set(row["protocols"]) | {item.get("proto") for item in row["files"] + row["transactions"]}
        return protocol in seen

    captures = sorted({root / row["pcap"] for row in rows if concerns(row)})
    problems = results(captures, out, "all")
    command = [root / "score.py", root / "manifest.jsonl", "--only", protocol, "--events", out, "--misses", "60"]
    subprocess.run([sys.executable, *command], check=True)
    for line in problems:
        print("FAILED", line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--groups", default=",".join(GROUPS), help=f"default {','.join(GROUPS)}")
    parser.add_argument("--protocol", default="http", help="protocol of the conformance captures (default http)")
    parser.add_argument("--out", type=Path, help="keep the results here")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="corpus-"))
    for name, score in (("corpus", planted), ("conformance", transactions)):
        root = (options.root / name).resolve()
        if not root.is_dir():
            print(f"{name}: not there, skipped")
            continue
        (out / name).mkdir(parents=True, exist_ok=True)
        argument = tuple(options.groups.split(",")) if name == "corpus" else options.protocol
        score(root, out / name, argument)
    print(f"results in {out}")


if __name__ == "__main__":
    main()
