"""Surrogates of a search's own trials, each trial predicted by a model that has not seen it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from jaxtyping import Float

from nasturtium.predictors import Boosting, Forest, GraphNetwork, MlpEnsemble, assemble, cross_validated
from nasturtium.predictors.correlation import FOLDS
from nasturtium.predictors.gp_views import views
from nasturtium.roles import Candidates, Features
from nasturtium.space import Architecture, Space
from nasturtium.space.graphs import tree_graph
from nasturtium.strategies._model import Data, Model, model
from nasturtium.workflows.untrained import NO_TIME, Scores

Prediction = tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]


@dataclass(frozen=True)
class Unlisted:
    """Candidates whose space is not looked at as a list: features of thousands would be worked out for a few trials."""

    candidates: Candidates
    listed: None = None

    @property
    def space(self) -> Space:
        return self.candidates.space

    def feasible(self, architecture: Architecture) -> bool:
        return self.candidates.feasible(architecture)

    def sample(self, rng: np.random.Generator) -> Architecture:
        return self.candidates.sample(rng)

    def features(self, architecture: Architecture) -> Features:
        return self.candidates.features(architecture)


@dataclass(frozen=True)
class GaussianProcess:
    """The model of the default strategy, on architectures."""

    candidates: Candidates
    name: str = "gp"

    def fit(self, features: Sequence[Architecture], losses: Float[np.ndarray, " n"], seed: int) -> "_FittedProcess":
        return _FittedProcess(model(Data(tuple(features), losses[:, None]), views(self.candidates)))


@dataclass(frozen=True)
class _FittedProcess:
    model: Model

    def predict(self, features: Sequence[Architecture]) -> Prediction:
        means, deviations = self.model.predict(features)
        return means[:, 0], deviations[:, 0]


class _TooSlow(Exception):
    """The folds of a cross-validation would take longer than there is time."""


class _Timed:
    """A surrogate that gives up after a fold where all of them would take more than `room_s` seconds."""

    def __init__(self, surrogate: Any, room_s: float) -> None:
        self.name = surrogate.name
        self._surrogate, self._room_s = surrogate, room_s
        self._began, self._done = perf_counter(), 0

    def fit(self, features: Any, losses: Float[np.ndarray, " n"], seed: int) -> Any:
        spent = perf_counter() - self._began
        if self._done and spent * FOLDS / self._done > self._room_s:
            raise _TooSlow
        self._done += 1
        return self._surrogate.fit(features, losses, seed)


def predictor_scores(
    architectures: Sequence[Architecture],
    losses: Float[np.ndarray, " trials"],
    candidates: Candidates,
    seed: int,
    room_s: float,
) -> Scores:
    """Predicted goodness of each trial by every surrogate, cross-validated over five folds.

    architectures: attached to the space. room_s: seconds for all of them; one whose first fold shows that it would need
    more is left out. Only means are asked for here, so ensembles have few members.
    """

    def matrix() -> Any:
        rows = [candidates.features(one) for one in architectures]
        return assemble(rows).matrix(rows)

    surrogates: list[tuple[Any, Callable[[], Any]]] = [
        (GaussianProcess(candidates), lambda: list(architectures)),
        (Forest("extra-trees", trees=100), matrix),
        (Forest("random-forest", trees=100), matrix),
        (Boosting(bags=3), matrix),
        (MlpEnsemble(members=3), matrix),
        (GraphNetwork(members=2, steps=100), lambda: [tree_graph(one.tree) for one in architectures]),
    ]
    found, start = Scores(), perf_counter()
    for surrogate, read in surrogates:
        began = perf_counter()
        left_s = room_s - (began - start)
        try:
            if left_s <= 0:
                raise _TooSlow
            values = cross_validated(_Timed(surrogate, left_s), read(), losses, seed)
        except _TooSlow:
            found.left_out[surrogate.name] = NO_TIME
        except Exception as error:
            found.drop(surrogate.name, error)
        else:
            found.values[surrogate.name] = values
            found.seconds[surrogate.name] = perf_counter() - began
    return found
