"""The house rules, checked: format, lint, types, import contracts, documentation against code, nothing private inside."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.interfaces import discover
from sensor.output.record import SCHEMAS, json_schema
from sensor.pipeline import FORMATS, PROTOCOLS, all_anomalies, all_limits

ROOT = Path(__file__).parents[1]
PACKAGES = ("sensor", "detectors", "geoip")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TRACKED = (
    ".py",
    ".md",
    ".yaml",
    ".yml",
    ".toml",
    ".css",
    ".csv",
    ".txt",
    ".json",
    ".lock",
    "Makefile",
    "NOTICE",
    "run",
)


def tool(*command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
def test_formatted():
    tool("ruff", "format", "--check", ".")


@pytest.mark.slow
def test_lint():
    tool("ruff", "check", ".")


@pytest.mark.slow
def test_types():
    tool("mypy")


@pytest.mark.slow
def test_imports_go_one_way():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def _files():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_nothing_private_inside():
    """No machine path, package-registry address or key material in the tree."""
    patterns = [
        r"/wor" + r"k/",
        r"\.libr" + r"ary",
        r"index-ur" + r"l",
        r"pypi\.org/sim" + r"ple",
        r"registry\.npm" + r"js",
    ]
    bad = re.compile("|".join(patterns))
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in _files()
        if path.name.endswith(TRACKED) and path.stat().st_size < 2_000_000
        for match in bad.finditer(path.read_text("utf-8", "replace"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.name != "__init__.py" or p.stat().st_size], ids=lambda p: str(p.relative_to(ROOT))
)
def test_module_says_what_it_is_for_and_stays_small(path):
    text = path.read_text("utf-8")
    assert re.match(r'(#.*\n)*r?"""', text), "no module docstring"
    lines = text.count("\n")
    if lines > 420 and not path.stem.endswith("tables"):
        assert "long because" in text[:2500], f"{lines} lines: split it, or say why in the docstring"


def test_every_protocol_and_format_has_its_mirrored_test():
    for name, folder in (("protocols", "sensor/protocols"), ("formats", "sensor/content/formats")):
        for path in (ROOT / folder).glob("*.py"):
            if path.name.startswith("__"):
                continue
            mirrored = ROOT / "tests" / folder / f"test_{path.stem.lstrip('_')}.py"
            assert mirrored.exists(), f"{name}: {mirrored.relative_to(ROOT)} is missing"


def test_names_are_unique_and_texts_present():
    limits, anomalies = all_limits(), all_anomalies()
    assert len({row.name for row in limits}) == len(limits)
    assert len({row.name for row in anomalies}) == len(anomalies)
    for row in limits:
        assert row.doc.endswith("."), row.name
        assert not row.anomaly or row.anomaly in {kind.name for kind in anomalies}, (
            f"limit {row.name} names an anomaly that is in no table"
        )
    for kind in anomalies:
        assert kind.meaning, kind.name
        assert kind.remedy, kind.name
    assert PROTOCOLS
    assert FORMATS
    assert discover is not None


def test_published_schemas_are_those_of_the_records():
    for name, kind in SCHEMAS.items():
        path = ROOT / "sensor" / "output" / "schemas" / f"{name}.json"
        fresh = json.dumps(json_schema(kind, f"bordertap {name}"), indent=1, ensure_ascii=False) + "\n"
        assert path.read_text("utf-8") == fresh, f"stale: python -m tests.make_schemas ({name})"


README = (ROOT / "README.md").read_text("utf-8") if (ROOT / "README.md").exists() else ""


def test_readme_names_every_protocol_format_and_exit_code():
    for name in (*PROTOCOLS, *FORMATS):
        assert f"`{name}`" in README, name


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_readme_python_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("line", re.findall(r"^\$ (bordertap .*)$", README, re.MULTILINE))
def test_readme_commands_run(line, tmp_path):
    arguments = line.split()[1:]
    arguments = [str(ROOT / item) if item.startswith("tests/data/") else item for item in arguments]
    done = subprocess.run(
        [sys.executable, "-m", "sensor", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "BORDERTAP_TOKEN_KEY": "k" * 32},
    )
    assert done.returncode == 0, done.stderr
