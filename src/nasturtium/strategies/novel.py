"""The wrapper around every strategy: only feasible architectures, and none that was proposed before.

"Before" goes by `arch_id`, so another set of decisions for the same network counts, as do failed and running trials.
"""

from collections.abc import Callable

import numpy as np

from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.space.listing import LARGEST
from nasturtium.trial import History

SAMPLES = 100
LAST_SAMPLES = 2000

Attempt = Callable[[int], Architecture | None]
"""Given the number of attempts already made for this place; None: it has no more proposals."""


def lasting_seed(seed: int, history: History) -> int:
    """The seed of the first trial: a study asks with another seed each time, and what is worked out for several
    proposals (a policy's beginning, the ranking of a round) has to stay the same between them."""
    return history.trials[0].seed if history.trials else seed


def generator(seed: int, history: History) -> np.random.Generator:
    """The one source of chance of an `ask`; one seed may serve a whole study."""
    return np.random.default_rng([seed, len(history.trials)])


def novel(
    history: History, count: int, candidates: Candidates, rng: np.random.Generator, attempt: Attempt, tries: int
) -> list[Architecture]:
    """Up to `count` feasible architectures that are new to the history and different from one another.

    attempt: called up to `tries` times for each place. A place that it cannot fill goes to a random new architecture;
    the list is short only if there is none.
    """
    taken, found = set(history.ids), list[Architecture]()
    for _ in range(count):
        chosen = _attempted(taken, candidates, attempt, tries) or random_novel(taken, candidates, rng)
        if chosen is None:
            break
        taken.add(chosen.arch_id)
        found.append(chosen)
    return found


def random_novel(taken: set[str], candidates: Candidates, rng: np.random.Generator) -> Architecture | None:
    """A feasible architecture not in `taken`, uniform over the live decisions; None if none is found.

    "None" is exact for spaces that can be listed, and after 2,000 samples a guess for larger ones: samples come first,
    because listing takes seconds. Raises `LimitError` as `Candidates.sample` does.
    """
    size = candidates.space.size
    for _ in range(SAMPLES if size is not None and size <= LARGEST else LAST_SAMPLES):
        sampled = candidates.sample(rng)
        if sampled.arch_id not in taken:
            return sampled
    left = [one for one in candidates.listed or () if one.arch_id not in taken]
    return left[rng.integers(len(left))] if left else None


def _attempted(taken: set[str], candidates: Candidates, attempt: Attempt, tries: int) -> Architecture | None:
    for made in range(tries):
        proposed = attempt(made)
        if proposed is None:
            return None
        if proposed.arch_id not in taken and candidates.feasible(proposed):
            return proposed
    return None
