"""Free text on its way out (URIs, file names, facts of events): every value in it masked.

More liberal than findings: whatever has the shape and passes the validator is masked, context or not. Text that hides
values behind escapes comes out unescaped and masked. Cost: one scan of a short text; repeated texts are remembered.
"""

import functools
from typing import TYPE_CHECKING, Final

from detectors import mask, normalise
from detectors.view import View

if TYPE_CHECKING:
    from detectors.scanner import Engine

MEMO: Final = 8192
SHORTEST: Final = 6  # no identifier is shorter


class Redactor:
    """Masks values in short texts."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.text = functools.lru_cache(maxsize=MEMO)(self._text)

    def _text(self, text: str) -> str:
        """The text with every value masked; the text itself when it holds none."""
        if len(text) < SHORTEST:
            return text
        view = normalise.unescape(View(text.encode("utf-8", "replace"), "utf-8", ()), mail=False)
        if not view.text.isascii() and self._engine.finder.folds(view.text):
            view = normalise.fold(view)
        gates, matches = self._engine.finder.find(view.text, 0)
        if matches or gates:
            matches = self._engine.finder.find(view.text, gates)[1]
        spans = self._engine.judge.spans(view.text, matches) if matches else []
        if not spans:
            return text
        out: list[bytes] = []
        at = 0
        for start, end, form, value in spans:
            if start >= at:
                out += [view.text[at:start], mask.mask(form, value).encode()]
            elif end > at:
                out.append(b"*" * (end - at))  # the tail of an overlapping value
            at = max(at, end)
        return (b"".join(out) + view.text[at:]).decode("utf-8", "replace")
