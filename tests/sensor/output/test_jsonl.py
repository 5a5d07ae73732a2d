"""The order of lines depends on the records alone."""

import json
import random

import pytest

from sensor.output.jsonl import RecordFile, merge


def written(folder, rows, parts):
    folder.mkdir()
    files = [RecordFile(folder / f"part{number}") for number in range(parts)]
    for number, (ts, row) in enumerate(rows):
        files[number % parts].write(ts, row)
    target = folder / "all.jsonl"
    assert merge([file.close() for file in files], target) == len(rows)
    assert sorted(path.name for path in folder.iterdir()) == ["all.jsonl"]
    return target.read_bytes()


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_any_arrival_any_number_of_writers_same_file(tmp_path, parts):
    rows = [(number // 3, {"n": number, "text": "名" * (number % 7)}) for number in range(200)]
    expected = written(tmp_path / "one", rows, 1)
    shuffled = rows[:]
    random.Random(7).shuffle(shuffled)
    assert written(tmp_path / "many", shuffled, parts) == expected
    assert [json.loads(line)["n"] // 3 for line in expected.splitlines()] == [n // 3 for n in range(200)]


def test_no_lines_is_an_empty_file(tmp_path):
    assert written(tmp_path / "none", [], 2) == b""
