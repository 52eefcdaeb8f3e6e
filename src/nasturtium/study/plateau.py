"""When more search would gain little.

The yardstick is what random search gains by doubling, from the expected best of k draws without replacement (the order
statistics behind Dodge et al. 2019, "Show Your Work"; unbiased form of Tang et al. 2020, eq. 4). That gain shrinks with
every doubling for any light-tailed distribution of scores, so the last one observed bounds the next.
"""

from math import comb

import numpy as np
from jaxtyping import Float

from nasturtium import pareto
from nasturtium.trial import History, Trial

LEAST_TRIALS = 20
LEAST_RANDOM = 6
RECENT_SHARE = 1 / 3
TOLERANCE = 0.02


def expected_best(losses: Float[np.ndarray, " n"], draws: int) -> float:
    """Mean of the smallest of `draws` values drawn from `losses` without replacement, 1 <= draws <= n.

    >>> expected_best(np.array([1.0, 2.0, 3.0]), 2)  # pairs (1,2), (1,3), (2,3)
    1.3333333333333333
    """
    ordered = np.sort(losses)
    count = len(ordered)
    weights = [comb(count - rank - 1, draws - 1) / comb(count, draws) for rank in range(count)]
    return float(np.dot(weights, ordered))


def plateau(history: History) -> str | None:
    """A sentence on what more search could gain, or None while the search still pays.

    Holds when, among the trials at the highest fidelity, the last third brought no progress worth 2 % of the way from a
    median random trial to the best (nor, with several objectives, a place on the front), and doubling the random
    trials gained no more than that, for every objective. Needs 20 trials, 6 of them random.
    """
    trials = _highest(history)
    random = tuple(trial for trial in trials if trial.origin == "random")
    if len(trials) < LEAST_TRIALS or len(random) < LEAST_RANDOM:
        return None
    losses, control = history.losses(trials), history.losses(random)
    recent = max(1, int(len(trials) * RECENT_SHARE))
    scale = np.median(control, axis=0) - losses.min(axis=0)
    progress = losses[:-recent].min(axis=0) - losses.min(axis=0)
    doubling = _doubling_gain(control)
    small = bool((progress <= TOLERANCE * scale).all() and (doubling <= TOLERANCE * scale).all())
    if not small or (len(history.objectives) > 1 and (pareto.fronts(losses)[-recent:] == 0).any()):
        return None
    name = history.objectives[0].name
    return (
        f"The last {recent} trials improved {name} by {progress[0]:.2g}, and random search gained {doubling[0]:.2g} "
        f"from its last doubling to {len(random)} trials: as many trials again would probably gain less than "
        f"{max(progress[0], doubling[0], TOLERANCE * scale[0]):.2g}."
    )


def _highest(history: History) -> tuple[Trial, ...]:
    top = max((trial.fidelity for trial in history.scored), default=None)
    return tuple(trial for trial in history.scored if trial.fidelity == top)


def _doubling_gain(control: Float[np.ndarray, "n m"]) -> Float[np.ndarray, " m"]:
    count = len(control)
    return np.array([expected_best(column, count // 2) - expected_best(column, count) for column in control.T])
