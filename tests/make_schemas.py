"""`python -m tests.make_schemas` writes sensor/output/schemas/*.json anew."""

import json
from pathlib import Path

from sensor.output.record import SCHEMAS, json_schema

FOLDER = Path(__file__).parents[1] / "sensor" / "output" / "schemas"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, kind in SCHEMAS.items():
        text = json.dumps(json_schema(kind, f"bordertap {name}"), indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
