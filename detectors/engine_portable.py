"""The portable engine: the same matches without Hyperscan and without numpy, for machines that lack them and as oracle.

In and out as engine_hyperscan. Gate words are found by one Aho-Corasick automaton over the block read as Latin-1
(one character per byte), shapes by `re` at every start. Slow by design: it is the plain statement of what a match is.
"""

import re

import ahocorasick

from detectors.base64runs import TELLS
from detectors.normalise import FOLD_MARKS
from detectors.shapes import Shapes

Match = tuple[int, int, int, int, int]  # start, end, value start, value end, shape index

_TAILS = ("no", "num", "id")
_FOLDS = re.compile(b"|".join(FOLD_MARKS))
_TELLS = [re.compile(tell) for tell in TELLS]


class PortableFinder:
    """Shapes tried one by one."""

    name = "portable"

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes.all
        self._words: ahocorasick.Automaton | None = None
        meanings: dict[str, list[tuple[bool, int]]] = {}
        for gate in shapes.gates:
            meanings.setdefault(gate.word.decode("latin-1"), []).append((gate.alone, gate.entity))
        if meanings:
            self._words = ahocorasick.Automaton()
            for word, rows in meanings.items():
                self._words.add_word(word, (len(word), rows))
            self._words.make_automaton()

    def find(self, text: bytes, gates: int) -> tuple[int, list[Match]]:
        """See HyperscanFinder.find."""
        gates |= self._opened(text)
        matches: list[Match] = []
        for shape in self._shapes:
            if shape.gated and not gates >> shape.entity & 1:
                continue
            at = 0
            while True:
                match = shape.rx.search(text, at)
                if match is None:
                    break
                start, end = match.span()
                inner, outer = match.span(1) if match.re.groups else (-1, -1)
                row = (start, end, inner, outer) if inner >= 0 else (start, end, start, end)
                matches.append((*row, shape.index))
                at = start + 1
        return gates, matches

    def folds(self, text: bytes) -> bool:
        """See HyperscanFinder.folds."""
        return _FOLDS.search(text) is not None

    def tells(self, text: bytes) -> list[tuple[int, int]]:
        """See HyperscanFinder.tells. Overlapping ones too: a tell-tale may begin inside another."""
        hits: list[tuple[int, int]] = []
        for number, tell in enumerate(_TELLS):
            at = 0
            while (match := tell.search(text, at)) is not None:
                hits.append((match.end(), number))
                at = match.start() + 1
        return sorted(set(hits))

    def _opened(self, text: bytes) -> int:
        if self._words is None:
            return 0
        # bytes.lower() folds ASCII only, as Hyperscan does
        low = text.lower().decode("latin-1")
        gates = 0
        for last, (size, rows) in self._words.iter(low):
            before, after = low[last - size : last - size + 1] if last >= size else "", low[last + 1 : last + 4]
            alone = (
                before != ""
                and not "a" <= before <= "z"
                and after != ""
                and (not "a" <= after[0] <= "z" or after.startswith(_TAILS))
            )
            for must_stand_alone, entity in rows:
                if alone or not must_stand_alone:
                    gates |= 1 << entity
        return gates
