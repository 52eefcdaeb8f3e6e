"""Channels in the order of their importance, before networks shrink to the leading ones.

Cai et al., "Once-for-All", ICLR 2020 (arXiv:1908.09791), section 3.3 ("Elastic Width") and figure 4. Importance is the
L1 norm of a channel's weights where it is read, as in the authors' `re_organize_middle_weights`. Only channels inside
of a link are sorted, as there: those between links, which residual sums tie together, stay in their order.
"""

from collections.abc import Iterator
from itertools import islice, pairwise, product

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nasturtium.space.places import Codes
from nasturtium.supernet._inner import Channels, Use, inner_runs
from nasturtium.supernet.links import Branch, Link, Node, Prefix, Series, Staged, Step
from nasturtium.supernet.reachable import State, named
from nasturtium.supernet.sizes import dimensions
from nasturtium.supernet.slices import Axes, length
from nasturtium.supernet.supernet import Supernet

Made = dict[str, Axes]
"""How each parameter of a link is made up, by its name in the link's module."""

MOST = 4096
"""Variants of a link that are looked at."""


@torch.no_grad()
def sort_channels(supernet: Supernet, greatest: Codes, trained: Codes | None = None) -> int:
    """Sort the channels inside of all links, in place, the most important first.

    greatest: code of every decision in the widest network, those included that are dead in it. What networks of these
    widths do stays as it is, whatever they take where decisions have no order. trained: codes of the narrowest network
    that was trained before. Its widths, and all between those and the full ones, keep the channels that they have: only
    their order changes. Returns how many runs of channels were sorted.
    """
    narrow = None if trained is None else {step.key: _made(supernet, step, at) for step, at in supernet.states(trained)}
    links = dict[str, dict[tuple[Step, State], None]]()
    for codes in _variants(supernet, greatest):
        for step, state in supernet.states(codes):
            if step.cell is None:
                links.setdefault(step.key, {})[step, state] = None
    count = 0
    for key, variants in links.items():
        made = {name: axes for variant in variants for name, axes in _made(supernet, *variant).items()}
        for run in inner_runs((step.block.lower(state.x), state.x) for step, state in variants):
            count += _sort(supernet, key, run, made, None if narrow is None else narrow.get(key, {}))
    return count


def _variants(supernet: Supernet, greatest: Codes) -> Iterator[Codes]:
    """Codes of the widest networks with all that each link may be, one link after the other."""
    space, ordered = supernet.space, dimensions(supernet.space)
    free = {n.index: n.decision.size for n in space.decisions if n.index not in ordered}
    seen = set[Codes]()
    for link, taken in _reached(supernet.chain, {}):
        inner = [index for index in link.decisions if index in free]
        for codes in islice(product(*(range(free[index]) for index in inner)), MOST):
            new = taken | dict(zip(inner, codes, strict=True))
            masked = space.program.mask([new.get(index, code) for index, code in enumerate(greatest)])
            if masked not in seen:
                seen.add(masked)
                yield masked


def _reached(node: Node, taken: dict[int, int]) -> Iterator[tuple[Link, dict[int, int]]]:
    """Each link, with what has to be taken before for it to be there."""
    if isinstance(node, Link):
        yield node, taken
    elif isinstance(node, Staged):
        yield from _reached(node.body, taken)
    elif isinstance(node, Branch):
        for code, option in enumerate(node.options):
            yield from _reached(option, taken | {node.index: code})
    elif isinstance(node, Series | Prefix):
        for part in node.parts:
            yield from _reached(part, taken)


def _made(supernet: Supernet, step: Step, state: State) -> Made:
    return {one.name: one.axes for one in supernet.units.wanted(step, state)}


def _sort(supernet: Supernet, key: str, run: Channels, made: Made, narrow: Made | None) -> bool:
    """Was it possible? A run that is spread over several tensors is left as it is."""
    found = dict[Use, tuple[Tensor, int]]()
    for use in run.uses:
        place = supernet.bank.along(named(key, use.name), made[use.name], use.axis)
        if place is None:
            return False
        found[use] = place
    first = run.read[0]
    count = length(made[first.name][first.axis])
    importance = torch.stack([_norms(*found[use], count) for use in run.read]).sum(0)
    order = _descending(importance, _bounds(supernet, key, first, count, narrow))
    for tensor, axis in found.values():
        every = torch.arange(tensor.shape[axis], device=tensor.device)
        every[:count] = order
        tensor.copy_(tensor.index_select(axis, every))
    return True


def _norms(tensor: Tensor, axis: int, count: int) -> Float[Tensor, " channels"]:
    """The L1 norm of what lies at each place of an axis."""
    return tensor.abs().movedim(axis, 0)[:count].flatten(1).sum(1)


def _bounds(supernet: Supernet, key: str, use: Use, count: int, narrow: Made | None) -> list[int]:
    """Where the channels of trained widths end."""
    if narrow is None:
        return [0, count]
    # Without a residual, for one, a link has other weights: then any of its widths may have been trained.
    least = length(narrow[use.name][use.axis]) if use.name in narrow else 1
    return [0, *(size for size in supernet.bank.sizes(named(key, use.name), use.axis) if least <= size < count), count]


def _descending(importance: Float[Tensor, " channels"], bounds: list[int]) -> Int[Tensor, " channels"]:
    """Places in falling order between one bound and the next; equal ones stay as they are."""
    parts = [low + importance[low:high].argsort(descending=True, stable=True) for low, high in pairwise(bounds)]
    return torch.cat(parts)
