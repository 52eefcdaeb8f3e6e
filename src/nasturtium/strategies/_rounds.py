"""What strategies share that fit a model once a round and rank a pool of candidates with it.

A round lasts until so many more trials are scored; all asks within it go down one ranking. So the model is fitted once
a round although `ask` knows nothing of rounds, and a resumed search finds the same ranking again.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, mutate
from nasturtium.strategies._single import refuse_several
from nasturtium.strategies.novel import generator, novel
from nasturtium.trial import Fidelity, History


class Row(NamedTuple):
    """One architecture with a score."""

    codes: tuple[int, ...]
    arch_id: str
    loss: float


Known = tuple[Row, ...]
"""What a round's model is fitted to, in the order in which it was proposed."""

Ranking = Callable[[Known], Sequence[Architecture]]
"""The candidates of a round, best first."""

PATIENCE = 5
"""Draws for one candidate that is new and feasible; in a small space most are not."""


def ask_ranked(
    name: str, initial: int, batch: int, history: History, count: int, seed: int, candidates: Candidates, rank: Ranking
) -> list[Architecture]:
    """Random until `initial` trials are scored, then down the ranking of the round. Raises `RunError` for several
    objectives."""
    refuse_several(name, history)
    rng = generator(seed, history)
    known = known_to_round(history, initial, batch, candidates)
    ranked = iter(rank(known) if known else ())
    return novel(history, count, candidates, rng, lambda made: next(ranked, None), tries=2**31)


def known_to_round(history: History, initial: int, batch: int, candidates: Candidates) -> Known:
    """What was known when the present round began; empty before the first.

    With several fidelities: the scores at the highest one that has `initial` of them, as those of others cannot be
    compared with them. A score that is not finite counts as a failure.
    """
    found: dict[Fidelity, dict[str, Row]] = {}
    for trial, (loss,) in zip(history.scored, history.losses(), strict=True):
        if np.isfinite(loss):
            row = Row(candidates.space.codes(trial.architecture), trial.architecture.arch_id, float(loss))
            found.setdefault(trial.fidelity, {})[row.arch_id] = row
    enough = [level for level, rows in found.items() if len(rows) >= initial]
    if not enough:
        return ()
    rows = tuple(found[max(enough)].values())
    return rows[: initial + (len(rows) - initial) // batch * batch]


def best_of(known: Known, count: int, candidates: Candidates) -> list[Architecture]:
    """The architectures with the lowest losses, best first."""
    ordered = sorted(known, key=lambda row: row.loss)
    return [candidates.space.from_codes(row.codes) for row in ordered[:count]]


def fresh(proposed: Iterable[Architecture], count: int, taken: set[str], candidates: Candidates) -> list[Architecture]:
    """The first `count` that are feasible and not taken, each once; takes them."""

    def kept() -> Iterable[Architecture]:
        for one in proposed:
            if one.arch_id not in taken and candidates.feasible(one):
                taken.add(one.arch_id)
                yield one

    return list(islice(kept(), count))


def mutants(
    parents: Sequence[Architecture], tries: int, rng: np.random.Generator, rate: float | None = None
) -> Iterable[Architecture]:
    """`tries` mutants of each parent in turn."""
    return (mutate(parent, rng, rate) for parent in parents for _ in range(tries))


def strangers(count: int, candidates: Candidates, rng: np.random.Generator) -> Iterable[Architecture]:
    """`count` random feasible architectures."""
    return (candidates.sample(rng) for _ in range(count))


@lru_cache(maxsize=1024)
def feature(held: Hashable, codes: tuple[int, ...], group: str) -> Float[np.ndarray, " features"]:
    """One group of features of an architecture, worked out once. held: the candidates."""
    candidates = cast(Candidates, held)
    return candidates.features(candidates.space.from_codes(codes))[group]


def distinct_first(
    order: Iterable[int], rows: Float[np.ndarray, "asked ..."], known: Float[np.ndarray, "known ..."]
) -> list[int]:
    """The same order, but candidates whose features are those of a known or an earlier one come last: to a model they
    are the same network (a cell drawn otherwise, say), and a round is better spent on others."""
    seen, first, last = {row.tobytes() for row in known}, list[int](), list[int]()
    for at in order:
        key = rows[at].tobytes()
        (last if key in seen else first).append(at)
        seen.add(key)
    return first + last


def refuse_rounds(initial: int, batch: int, pool: int) -> None:
    """Raises `RunError` for sizes that cannot be."""
    if initial < 2:
        raise RunError(
            f"initial is {initial}: the first model needs at least 2 scored trials; 10 is the published one."
        )
    if not 1 <= batch <= pool:
        raise RunError(f"batch is {batch} and pool {pool}: 1 <= batch <= pool.")
