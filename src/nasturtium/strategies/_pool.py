"""Whom the model of the default strategy is asked about: everybody in a small space, promising ones in a large one."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from nasturtium.roles import Candidates
from nasturtium.space import Architecture, crossover, mutate
from nasturtium.space.variation import neighbour, steps

AROUND = 120
MUTANTS = 60
CHILDREN = 40
STRANGERS = 40
RATE = 0.2


Codes = tuple[int, ...]


def pool(
    candidates: Candidates,
    best: Sequence[Architecture],
    known: frozenset[Codes],
    rng: np.random.Generator,
    share: float = 1.0,
) -> list[Architecture]:
    """Feasible architectures of a space that is too large to list, each once, none with the codes in `known`.

    Neighbours of the best, mutants and children of the better ones, and strangers, so that no part is out of reach.
    share: of the usual number of each.
    Told apart by their codes: an `arch_id` of each would take most of the time.
    """
    found: dict[Codes, Architecture] = {}

    def keep(proposed: Iterable[Architecture], count: int) -> None:
        wanted = len(found) + max(1, round(share * count))
        for one in proposed:
            codes = candidates.space.codes(one)
            if codes not in known and codes not in found and candidates.feasible(one):
                found[codes] = one
            if len(found) >= wanted:
                break

    for rank, centre in enumerate(best[:3]):
        keep(_near(centre, rng), AROUND // 2 ** (rank + 1))
    if best:
        keep((mutate(_one(best, rng), rng, RATE) for _ in range(3 * MUTANTS)), MUTANTS)
        keep((crossover(_one(best, rng), _one(best, rng), rng) for _ in range(3 * CHILDREN)), CHILDREN)
    keep((candidates.sample(rng) for _ in range(STRANGERS)), STRANGERS)
    return list(found.values())


def around(
    candidates: Candidates,
    centres: Sequence[Architecture],
    known: frozenset[Codes],
    each: int,
    rng: np.random.Generator,
) -> list[Architecture]:
    """Feasible neighbours of these, at most `each` of one, each once, none with the codes in `known`."""
    found: dict[Codes, Architecture] = {}
    for centre in centres:
        near = _near(centre, rng)
        fresh = (one for one in near if candidates.space.codes(one) not in known and candidates.feasible(one))
        found |= {candidates.space.codes(one): one for one in islice(fresh, each)}
    return list(found.values())


def _near(centre: Architecture, rng: np.random.Generator) -> Iterator[Architecture]:
    """The neighbours in random order, each made when it is looked at: most are not."""
    near = steps(centre)
    order = rng.permutation(len(near))
    return (neighbour(centre, *near[row]) for row in order)


def _one(best: Sequence[Architecture], rng: np.random.Generator) -> Architecture:
    """The better, the likelier."""
    return best[min(int(rng.exponential(len(best) / 4)), len(best) - 1)]
