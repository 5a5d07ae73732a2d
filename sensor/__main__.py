"""`python -m sensor` is `bordertap`."""

from sensor.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
