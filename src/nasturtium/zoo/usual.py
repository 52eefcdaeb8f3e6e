"""Architectures of the convolutional macro space as a practitioner would begin: one kind of block, widths that grow.

Residual networks (He et al. 2016) and inverted residuals (Sandler et al. 2018), in several sizes, with the plain choice
in everything else. A search of few trials should not have to find these by chance.
"""

from itertools import product

from nasturtium.space import Architecture, Space
from nasturtium.space.decisions import Decision

PLAIN: dict[str, str] = {
    "kernel": "3",
    "se": "false",
    "skip": "true",
    "activation": "relu",
    "norm": "batch",
    "pool": "avg",
    "dropout": "0.0",
    "hidden": "0",
    "resolution": "native",
}
EXPAND = {"residual": "1.0", "mbconv": "4"}
Kind = tuple[str, int]
"""Block, and stride of the stem's option (0: the first)."""


def usual(space: Space) -> dict[Kind, list[Architecture]]:
    """The networks of each kind, one for each width factor and depth; none for spaces other than conv-macro."""
    if space.name != "conv-macro":
        return {}
    kinds = product(EXPAND, (1, 0))
    made = {
        (block, stem): [_one(space, block, stem, width, depth) for width in range(4) for depth in range(3)]
        for block, stem in kinds
    }
    return {kind: list(dict.fromkeys(networks)) for kind, networks in made.items()}


def _one(space: Space, block: str, stem: int, width: int, depth: int) -> Architecture:
    raw = [_code(named.path, named.decision, block, stem, width, depth) for named in space.decisions]
    return space.from_codes(space.program.mask(raw))


def _code(path: str, decision: Decision, block: str, stem: int, width: int, depth: int) -> int:
    """The choice at one place; the middle option where nothing is usual."""
    last = path.rsplit(".", 1)[-1]
    keys: tuple[str, ...] = getattr(decision, "keys", ())
    wanted = {**PLAIN, "expand": EXPAND[block]}.get(last)
    if wanted in keys:
        return keys.index(wanted)
    if block in keys:
        return keys.index(block)
    if path.endswith("stem.stride"):
        return min(stem, decision.size - 1)
    if last == "stride":  # every stage but the first halves its input, where it may
        return decision.size - 1
    if last == "width":
        return min(width, decision.size - 1)
    if last == "count":
        return min(depth, decision.size - 1)
    return decision.size // 2
