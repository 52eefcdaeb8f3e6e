"""Whom the model of the default strategy is asked about: everybody in a small space, promising ones in a large one."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from nasturtium.roles import Candidates
from nasturtium.space import Architecture, crossover, mutate, neighbours

AROUND = 120
MUTANTS = 60
CHILDREN = 40
STRANGERS = 40
RATE = 0.2


def pool(
    candidates: Candidates, best: Sequence[Architecture], taken: frozenset[str], rng: np.random.Generator
) -> list[Architecture]:
    """Feasible new architectures of a space that is too large to list, each once.

    Neighbours of the best, mutants and children of the better ones, and strangers, so that no part is out of reach.
    """
    found: dict[str, Architecture] = {}

    def keep(proposed: Iterable[Architecture], count: int) -> None:
        wanted = len(found) + count
        for one in proposed:
            if one.arch_id not in taken and candidates.feasible(one):
                found.setdefault(one.arch_id, one)
            if len(found) >= wanted:
                break

    for rank, centre in enumerate(best[:3]):
        around = neighbours(centre)
        keep((around[row] for row in rng.permutation(len(around))), AROUND // 2 ** (rank + 1))
    if best:
        keep((mutate(_one(best, rng), rng, RATE) for _ in range(3 * MUTANTS)), MUTANTS)
        keep((crossover(_one(best, rng), _one(best, rng), rng) for _ in range(3 * CHILDREN)), CHILDREN)
    keep((candidates.sample(rng) for _ in range(STRANGERS)), STRANGERS)
    return list(found.values())


def around(
    candidates: Candidates, centres: Sequence[Architecture], taken: frozenset[str], each: int, rng: np.random.Generator
) -> list[Architecture]:
    """Feasible new neighbours of these, at most `each` of one, each once."""
    found: dict[str, Architecture] = {}
    for centre in centres:
        near = neighbours(centre)
        shuffled = (near[row] for row in rng.permutation(len(near)))
        fresh = (one for one in shuffled if one.arch_id not in taken and candidates.feasible(one))
        found |= {one.arch_id: one for one in islice(fresh, each)}
    return list(found.values())


def _one(best: Sequence[Architecture], rng: np.random.Generator) -> Architecture:
    """The better, the likelier."""
    return best[min(int(rng.exponential(len(best) / 4)), len(best) - 1)]
