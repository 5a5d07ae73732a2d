"""Checks that say whether a matched text is a real value: one module per check, found by folder scan.

A module declares `VALIDATOR = Validator(name, check, doc)`, or `VALIDATORS`, a tuple of them where one rule serves a
family (stdnum-backed national numbers). `check` gets the matched text (str, NFKC, separators still in) and answers
`yes` (checksum or closed table holds), `no`, or `unsure` (right shape, nothing to prove it: context or column must
decide). Checks never raise, cost O(length), and import heavy libraries on first use only. They do not read clocks:
dates are judged against fixed years. Underscore modules are not discovered.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator

import msgspec

from detectors.model import Verdict


class Validator(msgspec.Struct, frozen=True):
    """A named check.

    Attributes:
        name: what packs write under `validator`.
        check: matched text in, verdict out; never raises.
        doc: one line: the rule and its standard.
    """

    name: str
    check: Callable[[str], Verdict]
    doc: str


def _declared() -> Iterator[Validator]:
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        single = getattr(module, "VALIDATOR", None)
        if single is not None:
            yield single
        yield from getattr(module, "VALIDATORS", ())


def load_validators() -> dict[str, Validator]:
    """Return every validator of this folder by name.

    Raises:
        ValueError: two modules declare the same name (our bug, found at start).
    """
    found: dict[str, Validator] = {}
    for validator in _declared():
        if validator.name in found:
            raise ValueError(f"validator {validator.name!r} declared twice")
        found[validator.name] = validator
    return found
