"""The column rule: one number that passes a check may be chance, a column of them is not.

In: how many cells of a column there were, how many distinct values passed, the chance of a random value to pass.
Out: accept or not. Accepted are five distinct values or more of which at least four in five of the cells pass and whose
binomial tail P(X >= k) is below one in a million.
"""

import math
from typing import Final

LEAST_VALUES: Final = 5
LEAST_SHARE: Final = 0.8
TAIL: Final = 1e-6


def binomial_tail(cells: int, passed: int, rate: float) -> float:
    """P(X >= passed) for X ~ Binomial(cells, rate)."""
    if passed <= 0 or rate >= 1:
        return 1.0
    if rate <= 0:
        return 0.0
    log_rate, log_miss = math.log(rate), math.log1p(-rate)
    total = 0.0
    for hits in range(passed, cells + 1):
        log_term = math.lgamma(cells + 1) - math.lgamma(hits + 1) - math.lgamma(cells - hits + 1)
        term = math.exp(log_term + hits * log_rate + (cells - hits) * log_miss)
        total += term
        if term < total * 1e-12 and hits > cells * rate:
            break
    return min(total, 1.0)


def accepts(cells: int, passed: int, rate: float) -> bool:
    """True where the column is evidence by itself.

    Args:
        cells: values in the column, at least `passed`.
        passed: distinct values that passed the check.
        rate: chance of a random value of the shape to pass.
    """
    cells = max(cells, passed)
    return passed >= LEAST_VALUES and passed >= LEAST_SHARE * cells and binomial_tail(cells, passed, rate) < TAIL
