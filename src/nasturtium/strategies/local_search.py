"""Local search: move to the first neighbour that is better; at a local minimum, start again elsewhere.

White, Nolen and Savani, "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021 (arXiv:2005.02960),
algorithm 1 in its query-until-lower variant, with the restarts of its section 3.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.space.variation import neighbours
from nasturtium.strategies.novel import generator, novel
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History, Trial

Codes = tuple[int, ...]


@dataclass(frozen=True)
class LocalSearch:
    """Each descent starts from the best of `initial` random architectures (10 in the paper's code).

    Where the descent stands is read from the history, from whoever proposed its trials: a control trial that is better
    moves it too. With several objectives, "better" is dominance. The order of the neighbours comes from the seed of the
    trial that they surround.
    """

    initial: int = 10
    name: str = "local-search"

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise RunError(f"initial is {self.initial}: a descent needs at least 1 start.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        rng = generator(seed, history)
        centre = self.centre(history, candidates.space)
        around = iter([] if centre is None else _shuffled(centre, candidates.space))
        # Every neighbour may be tried: `around` ends by itself, and then a random start follows.
        return novel(history, count, candidates, rng, lambda made: next(around, None), tries=2**31)

    def centre(self, history: History, space: Space) -> Trial | None:
        """Where the descent stands; None while its random starts are being gathered.

        A trial of ours that is no neighbour of any centre of the present descent is the first start of a new one.
        (Neighbours of an earlier centre may still come in when several workers run.)
        """
        trials = seasoned(history)
        losses = history.losses(tuple(trials))
        rows = losses.tolist()  # five hundred comparisons an ask: lists are quicker than small arrays
        starts, centre, reached = list[int](), None, list[frozenset[Codes]]()
        for row, trial in enumerate(trials):
            if centre is None:
                starts.append(row)
            elif trial.origin == self.name and not _within(reached, space.codes(trial.architecture)):
                starts, centre, reached = [row], None, []
            elif _better(rows[row], rows[centre]):
                centre = row
                reached.append(_around(space, space.codes(trial.architecture))[1])
            if centre is None and len(starts) >= self.initial:
                centre = starts[pareto.order(losses[starts])[0]]
                reached = [_around(space, space.codes(trials[centre].architecture))[1]]
        return None if centre is None else trials[centre]


def _better(losses: list[float], than: list[float]) -> bool:
    return losses != than and all(mine <= yours for mine, yours in zip(losses, than, strict=True))


def _within(reached: list[frozenset[Codes]], codes: Codes) -> bool:
    """Latest first, where it mostly is."""
    return any(codes in around for around in reversed(reached))


def _shuffled(centre: Trial, space: Space) -> list[Architecture]:
    found = _around(space, space.codes(centre.architecture))[0]
    return [found[row] for row in np.random.default_rng(centre.seed).permutation(len(found))]


@lru_cache(maxsize=512)
def _around(space: Space, codes: Codes) -> tuple[tuple[Architecture, ...], frozenset[Codes]]:
    """The neighbours of an architecture and their codes. Kept, so that their `arch_id`s are worked out once."""
    found = tuple(neighbours(space.from_codes(codes)))
    return found, frozenset(space.codes(one) for one in found)
