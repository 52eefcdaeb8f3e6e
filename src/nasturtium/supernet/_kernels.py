"""Elastic kernels whose smaller sizes are learnt transformations of the larger ones.

Cai et al., "Once-for-All", ICLR 2020 (arXiv:1908.09791), section 3.3 ("Elastic Kernel Size") and figure 3: a kernel is
the centre of the next larger one times a matrix that all channels of the layer share. The matrices are identities at
first, as in the authors' code (`dynamic_op.py`), and so a supernet with them begins as one without.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import prod

from jaxtyping import Float
from torch import Tensor

from nasturtium.supernet.slices import Piece

Kernel = tuple[int, ...]
"""Taps along each axis."""
Kernels = tuple[Kernel, ...]
"""Of one tensor, the largest first."""


def kernels_of(using: Iterable[Piece]) -> Kernels:
    """The kernels that are cut out of one tensor; empty if it is no kernel."""
    sizes = {tuple(factor.size for factor in piece.factors if factor.how == "centre") for piece in using}
    return tuple(sorted(sizes - {()}, reverse=True))


def matrix_name(tensor: str, large: Kernel, small: Kernel) -> str:
    """Of the matrix that leads from one kernel of a tensor to the next."""
    return f"{tensor}:{large[0]}to{small[0]}"


def shrunk(
    tensor: Float[Tensor, "..."],
    window: tuple[slice, ...],
    kernels: Kernels,
    matrices: Mapping[tuple[Kernel, Kernel], Float[Tensor, "taps taps"]],
) -> Float[Tensor, "..."]:
    """The part of a tensor in `window`, of which the last axes are those of the kernel."""
    rank, most = len(kernels[0]), kernels[0]
    wanted = tuple(cut.stop - cut.start for cut in window[-rank:])
    value = tensor[window[:-rank]]
    for large, small in pairwise(kernels):
        if large == wanted:
            break
        # Where the centre of the whole begins, seen from where the larger kernel does.
        starts = [(full - few) // 2 - (full - many) // 2 for full, many, few in zip(most, large, small, strict=True)]
        for axis, (start, few) in enumerate(zip(starts, small, strict=True), start=-rank):
            value = value.narrow(axis, start, few)
        taps = value.reshape(-1, prod(small))
        value = (taps @ matrices[large, small].T).reshape(*value.shape[:-rank], *small)
    return value
