"""From record positions to columns."""

import numpy as np
import numpy.typing as npt

from sensor.batch import I64

BATCH_FRAMES = 32768  # amortises numpy's per-call cost; columns of that length stay in the CPU's cache
BATCH_BYTES = 32 << 20  # bounds what a batch keeps resident


def u32_at(arena: npt.NDArray[np.uint8], where: I64, *, swapped: bool) -> I64:
    """Unsigned 32-bit fields at any byte offsets (a view whose rows overlap: one gather, no alignment needed)."""
    overlapping: npt.NDArray[np.uint32] = np.ndarray(
        (len(arena) - 3,), ">u4" if swapped else "<u4", buffer=arena.data, strides=(1,)
    )
    return overlapping[where].astype(np.int64)
