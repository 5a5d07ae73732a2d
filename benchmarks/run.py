"""`make bench`: every benchmark, one after the other; all figures are ratios within one run."""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = ("bench_packet_path.py", "bench_scanner.py", "bench_analyze.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help=f"some of: {', '.join(BENCHMARKS)}")
    for name in parser.parse_args().only or BENCHMARKS:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, HERE / name], cwd=HERE, check=True)


if __name__ == "__main__":
    main()
