"""How a strategy that is a policy asks: replay the history, sample, repair.

A policy's state is never stored: it is the fold of its updates over the scored trials. `Replay` remembers the states
along the last history, so that a study pays for each update once; without it the answer is the same, only slower.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np

from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.space.variation import mutate
from nasturtium.strategies._actions import actions
from nasturtium.strategies._single import refuse_several
from nasturtium.strategies.novel import Attempt, generator, lasting_seed, novel
from nasturtium.strategies.policy import Policy, Sample
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History

SAMPLES = 40
MUTATIONS = 60
BLOCK = 8
KEPT = 8

Datum = tuple[Sample, float]
"""A sample and its reward."""


class Learner(Hashable, Protocol):
    """A frozen, hashable spec of a strategy whose state is a policy. batch: samples of one update."""

    @property
    def name(self) -> str: ...

    @property
    def batch(self) -> int: ...

    def policy(self, space: Space, seed: int) -> Policy:
        """The policy before its first update."""
        ...


def ask(learner: Learner, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
    """Samples of the policy that the history has taught. Raises `RunError` for several objectives."""
    refuse_several(learner.name, history)
    space = candidates.space
    policy = _replay(learner, space, lasting_seed(seed, history)).at(data(learner.name, history, space))
    rng = generator(seed, history)
    return novel(history, count, candidates, rng, _attempts(policy, space, rng), SAMPLES + MUTATIONS)


def data(name: str, history: History, space: Space) -> list[Datum]:
    """What a policy learns from: one reward for each architecture with a finite score, in order of the numbers.

    The reward is the objective, at the highest fidelity reached, with the sign that makes larger better. A trial that
    another strategy proposed (the random control above all) is a sample of the uniform distribution.
    """
    trials = seasoned(history)
    known = actions(space)
    found = list[Datum]()
    for trial, (loss,) in zip(trials, history.losses(tuple(trials)), strict=True):
        if np.isfinite(loss):
            codes = space.codes(trial.architecture)
            drawn = None if trial.origin == name else known.uniform(codes)
            found.append((Sample(codes, drawn), -float(loss)))
    return found


class Replay:
    """The policy after any data, and the memory of its states along the data that it was last asked for."""

    def __init__(self, start: Policy, batch: int) -> None:
        self._batch = batch
        self._data: Sequence[Datum] = ()
        self._states: dict[int, Policy] = {0: start}

    def at(self, data: Sequence[Datum]) -> Policy:
        """The start, updated with each whole batch of the data in turn."""
        whole = len(data) - len(data) % self._batch
        same = _common(self._data, data[:whole])
        states = {length: state for length, state in self._states.items() if length <= same}
        length = max(states)
        policy = states[length]
        while length < whole:
            samples, rewards = zip(*data[length : length + self._batch], strict=True)
            length += self._batch
            policy = states[length] = policy.update(samples, rewards)
        # The newest, because trials that still run will come in before the last ones; and the start.
        kept = {0, *sorted(states)[-KEPT:]}
        self._states = {length: state for length, state in states.items() if length in kept}
        self._data = tuple(data[:whole])
        return policy


@lru_cache(maxsize=4)
def _replay(learner: Learner, space: Space, seed: int) -> Replay:
    return Replay(learner.policy(space, seed), learner.batch)


def _common(first: Sequence[Datum], second: Sequence[Datum]) -> int:
    """Length of the common beginning."""
    for length, (mine, yours) in enumerate(zip(first, second, strict=False)):
        if mine != yours:
            return length
    return min(len(first), len(second))


def _attempts(policy: Policy, space: Space, rng: np.random.Generator) -> Attempt:
    """A few samples, then mutations that walk away from the last: a policy that has converged repeats itself, and what
    lies near its favourite is a better use of its knowledge than a random architecture."""
    ready = list[Sample]()
    last: Architecture | None = None

    def attempt(made: int) -> Architecture:
        nonlocal last
        if last is not None and made >= SAMPLES:
            last = mutate(last, rng)
            return last
        if not ready:
            ready.extend(reversed(policy.sample(rng, 1 if last is None else BLOCK)))
        last = space.from_codes(ready.pop().codes)
        return last

    return attempt
