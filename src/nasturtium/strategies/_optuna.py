"""What the strategies that wrap Optuna share: a space's decisions as distributions, and repaired proposals."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.space import Architecture, Choice, Decision, Integer, Real, Space
from nasturtium.space.variation import mutate
from nasturtium.strategies.novel import Attempt

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

SAMPLER_TRIES = 4
REPAIRS = 50


@lru_cache(maxsize=8)
def distributions(space: Space) -> dict[str, "BaseDistribution"]:
    """By path, in the order of the space. An option's key is categorical; numbers keep their order, step and scale."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, BaseDistribution] = {}
    for named in space.decisions:
        match named.decision:
            case Choice() as decision:
                made[named.path] = CategoricalDistribution(decision.keys)
            case Integer() as decision:
                made[named.path] = IntDistribution(decision.low, decision.value(decision.size - 1), step=decision.step)
            case Real() as decision:
                made[named.path] = FloatDistribution(decision.low, decision.high, log=decision.log)
    return made


def repaired(sampled: Callable[[], Architecture], rng: np.random.Generator, tries: int = SAMPLER_TRIES) -> Attempt:
    """Attempts for `novel`: `tries` from the sampler, then mutations that walk away from its last one.

    A sampler that has converged proposes what was tried before, and a walk from there is a better use of its knowledge
    than a random architecture.
    """
    last: Architecture | None = None

    def attempt(made: int) -> Architecture:
        nonlocal last
        last = sampled() if last is None or made < tries else mutate(last, rng)
        return last

    return attempt


def suggested(trial: "optuna.Trial", path: str, decision: Decision) -> str | int | float:
    """The value of one decision, as in `Architecture.values`."""
    match decision:
        case Choice():
            return str(trial.suggest_categorical(path, decision.keys))
        case Integer():
            return trial.suggest_int(path, decision.low, decision.value(decision.size - 1), step=decision.step)
        case Real():
            return trial.suggest_float(path, decision.low, decision.high, log=decision.log)
    raise TypeError(f"{path}: {type(decision).__name__} has no Optuna distribution")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without Optuna's announcements and its warnings about itself; both are left as they were."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
