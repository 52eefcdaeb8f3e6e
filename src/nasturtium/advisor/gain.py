"""What a search would gain over the best that is known, from a few random trials.

The best of N draws is an order statistic: with F the distribution of one trial's score, its distribution is F^N (David
and Nagaraja 2003, "Order statistics", section 2.1). F is a normal on a scale without end (minus the log of the distance
from the best possible score, as in `protocol.statistics.best_of`). Its mean and spread are not known: they are summed
over a grid of both, weighed by how well they explain the trials (the worst fourth only by being worse, for it is often
far off) and by a prior on the spread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
from jaxtyping import Float
from scipy import special, stats

WORTH = 1.5
"""Trials of random search that one trial of the default strategy is worth over a short search; cautiously, for over
long ones it is worth more (docs/strategies.md)."""
PRIOR_SPREAD = {True: 0.3, False: 0.08}
"""Usual standard deviation of log distances among random architectures, for bounded scores and for others: a little
below the middle of 14 searches on small data sets, which ranged from 0.14 to 0.72 and from 0.04 to 0.12, since a pilot
corrects a spread that is too small more easily than one that is too large."""
PRIOR_WIDTH = 0.7
"""Standard deviation of the log of that."""
DRAWS = 4000
WORSE = 4
"""The worst fourth of the trials only counts as worse."""
TAIL = 0.05
"""Of each end: the interval holds nine of ten cases. That of a gain which may be nothing has all of it above."""


@dataclass(frozen=True)
class Scale:
    """best, worst: no score is better or worse (1 and 0 for an accuracy); None where there is none. step: what one row
    more or less makes. maximize: are larger scores better?"""

    best: float | None
    step: float
    maximize: bool
    worst: float | None = None

    def there(self, scores: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Larger is better, without end."""
        return -np.log(self._distance(scores) + self.step / 2)

    def back(self, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        distance = np.maximum(np.exp(-values) - self.step / 2, 0.0)
        sign = 1.0 if self.maximize else -1.0
        found: Float[np.ndarray, " n"] = sign * ((0.0 if self.best is None else sign * self.best) - distance)
        return found if self.worst is None else np.maximum(found, self.worst)

    def _distance(self, scores: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        best = 0.0 if self.best is None else self.best
        return np.maximum(best - scores if self.maximize else scores - best, 0.0)


@dataclass(frozen=True)
class Outlook:
    """score: that the search's best trial will have. gain: over the best so far, 0 at least. Each: expected, low and
    high in nine of ten cases."""

    score: tuple[float, float, float]
    gain: tuple[float, float, float]


def outlook(scores: Sequence[float], trials: int, scale: Scale, *, worth: float = WORTH, seed: int = 0) -> Outlook:
    """What the best of `trials` more will be. scores: of random trials, two at least. worth: see `WORTH`."""
    known = scale.there(np.asarray(scores, dtype=float))
    means, spreads = _posterior(known, scale.best is not None, seed)
    chances = np.random.default_rng([seed, 1]).uniform(size=DRAWS)
    best = means + spreads * special.ndtri(np.exp(np.log(chances) / max(1.0, worth * trials)))
    return _told(scale.back(best), scores, scale)


def oracle(spread: float, mean: float, scores: Sequence[float], trials: int, scale: Scale, seed: int = 0) -> Outlook:
    """The same for one who knows the distribution: what no forecast can beat. mean, spread: on the scale's side."""
    chances = np.random.default_rng([seed, 1]).uniform(size=DRAWS)
    best = mean + spread * special.ndtri(np.exp(np.log(chances) / trials))
    return _told(scale.back(best), scores, scale)


def single(scores: Sequence[float], scale: Scale, seed: int = 0) -> tuple[float, float, float]:
    """Score of one more network of the kind: median, low and high."""
    means, spreads = _posterior(scale.there(np.asarray(scores, dtype=float)), scale.best is not None, seed)
    one = means + spreads * np.random.default_rng([seed, 2]).standard_normal(DRAWS)
    low, middle, high = np.quantile(scale.back(one), [TAIL, 0.5, 1 - TAIL])
    return float(middle), float(min(low, high)), float(max(low, high))


def apart(first: float, second: float, scale: Scale) -> float:
    """How many times as far from the best possible score the worse of two is as the better; 1 at least."""
    ends = scale.there(np.array([first, second]))
    return float(np.exp(abs(ends[1] - ends[0])))


def _told(best: Float[np.ndarray, " draws"], scores: Sequence[float], scale: Scale) -> Outlook:
    sign = 1.0 if scale.maximize else -1.0
    rounded = best if scale.best is None else scale.best - np.round((scale.best - best) / scale.step) * scale.step
    so_far = max(sign * score for score in scores)
    gains = np.maximum(sign * rounded - so_far, 0.0)
    ends = np.quantile(rounded, [TAIL, 1 - TAIL])
    # Where nothing may be gained, nothing lies below the interval, and all of the tenth outside it lies above.
    below = TAIL if np.quantile(gains, TAIL) > 0 else 0.0
    gained = np.quantile(gains, [below, 1 - 2 * TAIL + below])
    return Outlook(
        (float(rounded.mean()), float(ends[0]), float(ends[1])),
        (float(gains.mean()), float(gained[0]), float(gained[1])),
    )


def _posterior(
    known: Float[np.ndarray, " n"], bounded: bool, seed: int
) -> tuple[Float[np.ndarray, " draws"], Float[np.ndarray, " draws"]]:
    """Draws of mean and spread, given the better trials and how many were worse."""
    better = np.sort(known)[len(known) // WORSE :] if len(known) >= WORSE else np.sort(known)
    worse = len(known) - len(better)
    usual, width = log(PRIOR_SPREAD[bounded]), PRIOR_WIDTH
    spreads = np.exp(np.linspace(usual - 3 * width, usual + 3 * width, 61))
    reach = 3 * max(float(np.ptp(known)), exp(usual))
    means = np.linspace(known.min() - reach, known.max() + reach, 121)
    mean, spread = np.meshgrid(means, spreads, indexing="ij")
    weight = stats.norm.logpdf(np.log(spread), usual, width)
    for value in better:
        weight = weight + stats.norm.logpdf(value, mean, spread)
    weight = weight + worse * special.log_ndtr((better[0] - mean) / spread)
    chance = np.exp(weight - weight.max()).ravel()
    picked = np.random.default_rng([seed, 0]).choice(chance.size, size=DRAWS, p=chance / chance.sum())
    return mean.ravel()[picked], spread.ravel()[picked]
