"""Conformance suite for strategies, and a simulated study to run them in.

class TestMine(StrategySuite):
    def strategy(self): return Mine(population=8)   # small settings: the simulated studies have 40 trials
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from nasturtium.errors import LimitError, RunError
from nasturtium.roles import Features, Strategy
from nasturtium.space import Architecture, Space, choice, integer, listed, optional, real, repeat
from nasturtium.space.encoding import encode
from nasturtium.study.loop import derived_seed
from nasturtium.trial import Fidelity, History, Objective, Trial

Score = Callable[[Architecture], tuple[float, ...]]
"""Losses of an architecture; the objectives are called "loss0", "loss1" …"""


@dataclass(frozen=True)
class SpaceCandidates:
    """Candidates of a space under a limit that is a predicate."""

    space: Space
    within: Callable[[Architecture], bool] = lambda architecture: True

    def feasible(self, architecture: Architecture) -> bool:
        return self.within(architecture)

    def sample(self, rng: np.random.Generator) -> Architecture:
        for _ in range(10_000):
            architecture = self.space.sample(rng)
            if self.within(architecture):
                return architecture
        raise LimitError("no architecture of 10,000 samples is within the limit")

    @cached_property
    def listed(self) -> tuple[Architecture, ...] | None:
        return listed(self.space, self.within)

    def features(self, architecture: Architecture) -> Features:
        return {"encoding": encode(architecture)}


def simulate(
    strategy: Strategy,
    candidates: SpaceCandidates,
    score: Score,
    trials: int,
    seed: int = 0,
    *,
    workers: int = 1,
    failing: int = 7,
) -> History:
    """A study of which `workers` trials run at a time; the oldest ends first. Each `failing`-th fails (0: none).

    seed: of the study. As in a real one, each ask and each trial has a seed of its own that is derived from it.
    """
    count = len(score(candidates.space.sample(0)))
    history = History(tuple(Objective(f"loss{goal}", "minimize") for goal in range(count)))
    while len(history.trials) < trials:
        number = len(history.trials)
        proposed = strategy.ask(history, 1, derived_seed(seed, number, 0), candidates)
        if not proposed:
            break
        running = Trial(number, proposed[0], Fidelity(1), derived_seed(seed, number, 1), origin=strategy.name)
        history = History(history.objectives, (*history.trials, running))
        if number + 1 >= workers:
            history = ended(history, number + 1 - workers, score, failing)
    return history


def ended(history: History, number: int, score: Score, failing: int = 7) -> History:
    """The history after the trial of this number has ended."""
    trial = history.trials[number]
    if failing and number % failing == failing - 1:
        trial = replace(trial, state="failed", failure="simulated")
    else:
        losses = {f"loss{goal}": value for goal, value in enumerate(score(trial.architecture))}
        trial = replace(trial, state="complete", measures=losses)
    return History(history.objectives, (*history.trials[:number], trial, *history.trials[number + 1 :]))


def mixed_space() -> Space:
    """Every kind of decision, conditional ones and a tied one among them."""
    tied = choice("relu", "silu", "gelu")
    block = lambda index: choice(  # noqa: E731
        plain=(choice(1, 3, 5), tied), deep=(integer(1, 5, step=2), real(1e-4, 1e-1, log=True)), none="nothing"
    )
    return Space((repeat(block, integer(1, 3)), optional(choice("a", "b")), tied, real(0.0, 1.0)), name="mixed")


def small_space() -> Space:
    """Of 12 architectures but 6 networks: "same" and "twin" resolve to one tree."""
    return Space((integer(1, 3), choice(1, 2), choice(same=0, twin=0)), name="small")


def code_losses(architecture: Architecture) -> tuple[float, ...]:
    """Three competing losses from the codes."""
    levels = encode(architecture)
    weights = np.linspace(1.0, 2.0, len(levels))
    return float(weights @ levels), float(((1 - levels) ** 2).sum()), float(np.abs(levels[::2] - 0.5).sum())


def first_losses(count: int) -> Score:
    """The first `count` of `code_losses`."""
    return lambda architecture: code_losses(architecture)[:count]


class StrategySuite:
    """What every strategy owes to a study. Subclass it in a test; pytest runs what it inherits.

    objectives: the numbers of objectives that are tried. refuses: those that it must refuse (None: 1 and 2 where they
    are not tried). trials: of each simulated study. seeded: whether proposals depend on the seed.
    """

    objectives: tuple[int, ...] = (1, 2)
    refuses: tuple[int, ...] | None = None
    trials = 40
    seeded = True

    def strategy(self) -> Strategy:
        raise NotImplementedError

    def histories(self, workers: int = 1) -> list[tuple[History, SpaceCandidates]]:
        """Simulated studies on the mixed space under a limit, one for each number of objectives."""
        return _studies(type(self), workers)  # type: ignore[arg-type]  # a class is hashable

    def start(self, objectives: int) -> History:
        """A study of so many objectives that has not begun."""
        return History(tuple(Objective(f"loss{goal}", "minimize") for goal in range(objectives)))

    def test_proposals_are_feasible_and_new(self) -> None:
        for workers in (1, 4):
            for history, candidates in self.histories(workers):
                ids = [trial.architecture.arch_id for trial in history.trials]
                assert len(ids) == len(set(ids)) == self.trials
                assert all(candidates.feasible(trial.architecture) for trial in history.trials)

    def test_the_same_history_and_seed_give_the_same_proposals(self) -> None:
        for history, candidates in self.histories(workers=3):
            first = ids_of(self.strategy().ask(history, 3, 5, candidates))
            assert len(first) == 3
            # Another history in between, and another copy of the space: what was kept must not show.
            self.strategy().ask(History(history.objectives, history.trials[: self.trials // 2]), 1, 5, candidates)
            assert ids_of(self.strategy().ask(history, 3, 5, candidates)) == first
            other = SpaceCandidates(mixed_space(), within)
            moved = tuple(
                replace(trial, architecture=other.space.architecture(trial.architecture.values))
                for trial in history.trials
            )
            assert ids_of(self.strategy().ask(History(history.objectives, moved), 3, 5, other)) == first

    def test_another_seed_gives_other_proposals(self) -> None:
        start, candidates = self.start(self.objectives[0]), SpaceCandidates(mixed_space(), within)
        first, other = (ids_of(self.strategy().ask(start, 4, seed, candidates)) for seed in (1, 2))
        assert (first != other) == self.seeded

    def test_a_killed_search_resumes_exactly(self) -> None:
        for history, candidates in self.histories():
            for cut in (0, 1, self.trials // 4, self.trials // 2 + 5, self.trials - 1):
                known = History(history.objectives, history.trials[:cut])
                assert ids_of(self.strategy().ask(known, 1, derived_seed(0, cut, 0), candidates)) == [
                    history.trials[cut].architecture.arch_id
                ]

    def test_asking_changes_nothing(self) -> None:
        for history, candidates in self.histories():
            before = list(history.trials)
            self.strategy().ask(history, 2, 0, candidates)
            assert list(history.trials) == before

    def test_a_batch_is_of_different_architectures(self) -> None:
        for history, candidates in self.histories():
            batch = ids_of(self.strategy().ask(history, 16, 0, candidates))
            assert len(set(batch)) == 16
            assert not set(batch) & history.ids

    def test_the_last_architecture_of_a_small_space_is_found_and_then_none(self) -> None:
        candidates = SpaceCandidates(small_space())
        history = simulate(self.strategy(), candidates, first_losses(self.objectives[0]), 20)
        assert len(history.trials) == 6
        assert list(self.strategy().ask(history, 2, 0, candidates)) == []

    def test_the_limits_may_leave_fewer(self) -> None:
        candidates = SpaceCandidates(small_space(), lambda architecture: architecture.tree[0] != 2)
        history = simulate(self.strategy(), candidates, first_losses(self.objectives[0]), 20)
        assert sorted(trial.architecture.tree for trial in history.trials) == [
            (1, 1, 0),
            (1, 2, 0),
            (3, 1, 0),
            (3, 2, 0),
        ]

    def test_continuations_at_other_fidelities_are_understood(self) -> None:
        for history, candidates in self.histories():
            best = history.scored[:5]
            more = tuple(
                replace(trial, number=self.trials + row, fidelity=Fidelity(3), parent=trial.number)
                for row, trial in enumerate(best)
            )
            longer = History(history.objectives, (*history.trials, *more))
            batch = ids_of(self.strategy().ask(longer, 4, 0, candidates))
            assert len(set(batch)) == 4
            assert not set(batch) & longer.ids

    def test_a_history_of_running_trials_alone_is_survived(self) -> None:
        start, candidates = self.start(self.objectives[0]), SpaceCandidates(mixed_space(), within)
        asked = self.strategy().ask(start, 10, 0, candidates)
        running = tuple(
            Trial(number, architecture, Fidelity(1), number, self.strategy().name)
            for number, architecture in enumerate(asked)
        )
        pending = History(start.objectives, running)
        more = ids_of(self.strategy().ask(pending, 3, 0, candidates))
        assert len(set(more)) == 3
        assert not set(more) & pending.ids

    def test_trials_that_were_stopped_early_count_with_what_they_reached(self) -> None:
        for history, candidates in self.histories():
            early = tuple(replace(trial, state="stopped") if trial.scored else trial for trial in history.trials)
            stopped = History(history.objectives, early)
            asked = ids_of(self.strategy().ask(history, 3, 0, candidates))
            assert ids_of(self.strategy().ask(stopped, 3, 0, candidates)) == asked

    def test_numbers_of_objectives_that_it_does_not_take_are_refused_with_who_does(self) -> None:
        candidates = SpaceCandidates(mixed_space(), within)
        for count in {1, 2} - set(self.objectives) if self.refuses is None else self.refuses:
            refusal = ""
            try:
                self.strategy().ask(self.start(count), 1, 0, candidates)
            except RunError as error:
                refusal = str(error)
            assert self.strategy().name in refusal
            assert "regularized-evolution" in refusal

    def test_a_history_of_failures_alone_is_survived(self) -> None:
        history, candidates = self.histories()[0]
        failed = tuple(replace(trial, state="failed", measures={}, failure="no") for trial in history.trials)
        assert len(self.strategy().ask(History(history.objectives, failed), 2, 0, candidates)) == 2


@cache
def _studies(suite: type[StrategySuite], workers: int) -> list[tuple[History, SpaceCandidates]]:
    """Kept, since all tests of a strategy look at the same few studies."""
    made = []
    for count in suite.objectives:
        candidates = SpaceCandidates(mixed_space(), within)
        history = simulate(suite().strategy(), candidates, first_losses(count), suite.trials, workers=workers)
        made.append((history, candidates))
    return made


def within(architecture: Architecture) -> bool:
    """A limit that about two thirds of the mixed space meet."""
    return float(encode(architecture)[-1]) < 0.9 and len(architecture.values) < 13


def ids_of(architectures: object) -> list[str]:
    return [architecture.arch_id for architecture in architectures]  # type: ignore[attr-defined]
