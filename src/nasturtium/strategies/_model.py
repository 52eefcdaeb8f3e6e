"""The model of the default strategy: one Gaussian process an objective, on distances that are worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from nasturtium.predictors.gp_kernel import Hyper, Posterior, fit_hyper
from nasturtium.predictors.gp_views import Views, views
from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.trial import History, Trial

SOFT = 0.3
"""Regrets well below this share of the median one are told apart no further."""
EXACT = 200
"""Hyperparameters are worked out on at most so many trials."""


@dataclass(frozen=True)
class Data:
    """What is known. losses: of each trial, smaller is better."""

    architectures: tuple[Architecture, ...]
    losses: Float[np.ndarray, "n objectives"]


def data_of(history: History, trials: Sequence[Trial]) -> Data:
    return Data(tuple(trial.architecture for trial in trials), history.losses(tuple(trials)))


def model(data: Data, candidates: Candidates) -> "Model":
    """Fitted to the data; hyperparameters come from the first so many trials, see `fitted_on`."""
    seen, size = views(candidates), fitted_on(len(data.losses))
    several = data.losses.shape[1] > 1
    hypers = [
        _hyper(candidates, data.architectures[:size], tuple(scaled(column[:size], several).tolist()))
        for column in data.losses.T
    ]
    targets = np.stack([scaled(column, several) for column in data.losses.T], axis=1)
    return Model.of(seen, hypers, [candidates.space.attach(one) for one in data.architectures], targets)


def fitted_on(count: int) -> int:
    """How many of `count` trials the hyperparameters are fitted to: a function of the count, so that a resumed search
    agrees; rarer as they tell less."""
    step = 1 if count < 20 else 2 if count < 60 else 6 if count < 150 else 25
    return count - count % step


def scaled(losses: Float[np.ndarray, " n"], several: bool) -> Float[np.ndarray, " n"]:
    """Log regret, mean 0 and deviation 1; with several objectives all of a front matters, so only outliers are cut."""
    if several:
        high = np.median(losses) + 3 * (np.median(losses) - losses.min())
        values = np.minimum(losses, high)
    else:
        regret = losses - losses.min()
        middle = np.median(regret)
        values = np.log(regret / (middle if middle > 0 else max(regret.max(), 1e-12)) + SOFT)
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 1e-12 else 1.0)


@lru_cache(maxsize=512)
def _hyper(candidates: Candidates, architectures: tuple[Architecture, ...], targets: tuple[float, ...]) -> Hyper:
    """Of the trials that count: the best half of `EXACT`, and the latest others."""
    seen, wanted = views(candidates), np.array(targets)
    if len(wanted) > EXACT:
        order = np.argsort(wanted, kind="stable")
        chosen = np.sort(np.concatenate([order[: EXACT // 2], np.sort(order[EXACT // 2 :])[-EXACT // 2 :]]))
        architectures, wanted = tuple(architectures[row] for row in chosen), wanted[chosen]
    attached = [candidates.space.attach(one) for one in architectures]
    return fit_hyper(seen.between(attached, attached), wanted)


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
        architectures: Sequence[Architecture],
        losses: Float[np.ndarray, "n objectives"],
    ) -> "Model":
        distances = seen.between(architectures, architectures)
        posteriors = tuple(Posterior.of(one, distances, column) for one, column in zip(hypers, losses.T, strict=True))
        return Model(seen, tuple(architectures), losses, posteriors)

    @property
    def reference(self) -> Float[np.ndarray, " objectives"]:
        """A little worse than the worst."""
        worst, best = self.losses.max(0), self.losses.min(0)
        return np.asarray(worst + 0.05 * (worst - best))

    def predict(
        self, asked: Sequence[Architecture] | None
    ) -> tuple[Float[np.ndarray, "m objectives"], Float[np.ndarray, "m objectives"]]:
        """Mean and deviation of the scaled losses. asked: None asks about everybody in the list of a small space."""
        seen = self.views
        distances = seen.to_listed(self.architectures) if asked is None else seen.between(self.architectures, asked)
        found = [posterior.predict(distances) for posterior in self.posteriors]
        return np.stack([mean for mean, _ in found], axis=1), np.stack([spread for _, spread in found], axis=1)

    def believe(self, architecture: Architecture) -> "Model":
        """As if it had been tried and turned out as predicted."""
        mean, _ = self.predict([architecture])
        hypers = [posterior.hyper for posterior in self.posteriors]
        return Model.of(self.views, hypers, [*self.architectures, architecture], np.concatenate([self.losses, mean]))
