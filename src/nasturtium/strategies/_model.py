"""The model of the default strategy: one Gaussian process an objective, on distances that are worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from nasturtium.predictors.gp_kernel import Distances, Hyper, Posterior, fit_hyper
from nasturtium.predictors.gp_views import Views
from nasturtium.space import Architecture

Prediction = tuple[Float[np.ndarray, "m objectives"], Float[np.ndarray, "m objectives"]]
"""Means and deviations."""

SOFT = 0.3
"""Regrets well below this share of the median one are told apart no further."""
BEYOND = 0.5
"""Of the range of the losses. Queries to NSGA-II's hypervolume, 12 searches: 63 with 0.05, 60 with 0.5, 66 with 2."""
EXACT = 200
"""Hyperparameters are worked out on at most so many trials."""


@dataclass(frozen=True)
class Data:
    """What is known. losses: of each architecture, smaller is better."""

    architectures: tuple[Architecture, ...]
    losses: Float[np.ndarray, "n objectives"]

    @property
    def several(self) -> bool:
        return self.losses.shape[1] > 1

    @property
    def scaled(self) -> Float[np.ndarray, "n objectives"]:
        return np.stack([scaled(column, self.several) for column in self.losses.T], axis=1)

    def first(self, count: int) -> "Data":
        return Data(self.architectures[:count], self.losses[:count])


def model(data: Data, seen: Views) -> "Model":
    """Fitted to the data; hyperparameters come from the first so many of them, see `fitted_on`."""
    targets = data.first(fitted_on(len(data.losses))).scaled
    archs = data.architectures[: len(targets)]
    hypers = [_hyper(seen, archs, tuple(column.tolist()), data.several) for column in targets.T]
    return Model.of(seen, hypers, data.architectures, data.scaled)


def fitted_on(count: int) -> int:
    """How many of `count` trials the hyperparameters are fitted to: a function of the count, so that a resumed search
    agrees; rarer as they tell less."""
    step = 1 if count < 20 else 2 if count < 60 else 6 if count < 150 else 25
    return count - count % step


def scaled(losses: Float[np.ndarray, " n"], several: bool) -> Float[np.ndarray, " n"]:
    """Log regret, mean 0 and deviation 1. With several objectives all of a front matters, its far ends too: losses stay
    as they are, but for outliers, which grow with their logarithm."""
    if several:
        reach = 3 * (np.median(losses) - losses.min())
        beyond = np.maximum(losses - losses.min() - 4 / 3 * reach, 0.0)
        values = losses - beyond + (reach * np.log1p(beyond / reach) if reach > 0 else 0.0)
    else:
        regret = losses - losses.min()
        middle = np.median(regret)
        values = np.log(regret / (middle if middle > 0 else max(regret.max(), 1e-12)) + SOFT)
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 1e-12 else 1.0)


@lru_cache(maxsize=512)
def _hyper(seen: Views, architectures: tuple[Architecture, ...], targets: tuple[float, ...], several: bool) -> Hyper:
    """Where there are many trials: of the best, and of the latest others."""
    wanted = np.array(targets)
    if len(wanted) > EXACT:
        order = np.argsort(wanted, kind="stable")
        chosen = np.sort(np.concatenate([order[: EXACT // 2], np.sort(order[EXACT // 2 :])[-EXACT // 2 :]]))
        architectures, wanted = tuple(architectures[row] for row in chosen), wanted[chosen]
    trend = _trend(seen, architectures, several)
    return fit_hyper(seen.between(architectures, architectures), wanted, trend, seen.trend)


def _trend(seen: Views, architectures: Sequence[Architecture] | None, several: bool) -> Float[np.ndarray, " n"]:
    """Of the losses of a metric, minus the promise; of other objectives nothing is known beforehand. None: of the whole
    list."""
    found = -seen.listed_promise if architectures is None else -seen.promise(architectures)
    return np.zeros_like(found) if several else found


@dataclass(frozen=True)
class Model:
    """A posterior an objective. losses: scaled, of the trials and of what is believed."""

    views: Views
    architectures: tuple[Architecture, ...]
    losses: Float[np.ndarray, "n objectives"]
    posteriors: tuple[Posterior, ...]

    @staticmethod
    def of(
        seen: Views,
        hypers: Sequence[Hyper],
        architectures: tuple[Architecture, ...],
        losses: Float[np.ndarray, "n objectives"],
    ) -> "Model":
        distances = seen.among(architectures)
        trend = _trend(seen, architectures, len(hypers) > 1)
        posteriors = tuple(
            Posterior.of(one, distances, column, trend) for one, column in zip(hypers, losses.T, strict=True)
        )
        return Model(seen, architectures, losses, posteriors)

    @property
    def reference(self) -> Float[np.ndarray, " objectives"]:
        """Well beyond the worst, or the ends of the front would seem to be worth nothing."""
        worst, best = self.losses.max(0), self.losses.min(0)
        return np.asarray(worst + BEYOND * (worst - best))

    def predict(self, asked: Sequence[Architecture]) -> Prediction:
        """Mean and deviation of the scaled losses."""
        distances = self.views.between(self.architectures, asked)
        return self._predicted(distances, _trend(self.views, asked, len(self.posteriors) > 1))

    def predict_listed(self, places: Int[np.ndarray, " m"] | None) -> Prediction:
        """The same for places in the list of a small space; None: for all of it."""
        trend = _trend(self.views, None, len(self.posteriors) > 1)
        distances = self.views.to_listed(self.architectures, places)
        return self._predicted(distances, trend if places is None else trend[places])

    def _predicted(self, distances: Distances, trend: Float[np.ndarray, " m"]) -> Prediction:
        found = [posterior.predict(distances, trend) for posterior in self.posteriors]
        return np.stack([mean for mean, _ in found], axis=1), np.stack([spread for _, spread in found], axis=1)

    def believe(self, architecture: Architecture) -> "Model":
        """As if it had been tried and turned out as predicted."""
        mean, _ = self.predict([architecture])
        hypers = [posterior.hyper for posterior in self.posteriors]
        return Model.of(self.views, hypers, (*self.architectures, architecture), np.concatenate([self.losses, mean]))
