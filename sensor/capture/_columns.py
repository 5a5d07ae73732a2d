"""From record positions to columns."""

import numpy as np
import numpy.typing as npt

from sensor.batch import I64

BATCH_FRAMES = 32768  # amortises numpy's per-call cost; columns of that length stay in the CPU's cache
BATCH_BYTES = 32 << 20  # bounds what a batch keeps resident


def u32_at(arena: npt.NDArray[np.uint8], where: I64, *, swapped: bool) -> I64:
    """Unsigned 32-bit fields at the given byte offsets."""
    index = where[:, None] + np.arange(4)
    raw = arena[index]
    kind = ">u4" if swapped else "<u4"
    column: I64 = raw.view(kind)[:, 0].astype(np.int64)
    return column
