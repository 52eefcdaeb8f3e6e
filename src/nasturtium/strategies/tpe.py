"""Tree-structured Parzen estimators, Optuna's.

Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011; with several
objectives, Ozaki et al., "Multiobjective Tree-Structured Parzen Estimator", JAIR 2022.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.strategies._optuna import REPAIRS, SAMPLER_TRIES, distributions, quiet, repaired, suggested
from nasturtium.strategies.novel import generator, novel
from nasturtium.trial import Fidelity, History, Trial

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Tpe:
    """Decisions that are live in all trials are modelled jointly; conditional ones apart, where they are live.

    startup: random trials before the model is used (10, Optuna's). With several fidelities the model sees the highest
    one that has so many trials, as BOHB does (Falkner et al. 2018). Running trials count as bad ones, so that workers
    spread out.
    """

    startup: int = 10
    name: str = "tpe"

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        import optuna

        rng = generator(seed, history)
        fidelity = self.fidelity(history)
        if fidelity is None:
            return novel(history, count, candidates, rng, lambda made: None, tries=1)
        space = candidates.space
        with quiet():
            study = _mirror(space, len(history.objectives)).follow(history, fidelity)
            study.sampler = optuna.samplers.TPESampler(
                seed=int(rng.integers(2**31)), multivariate=True, n_startup_trials=self.startup
            )
            attempt = repaired(lambda: _suggested(study, space), rng)
            return novel(history, count, candidates, rng, attempt, SAMPLER_TRIES + REPAIRS)

    def fidelity(self, history: History) -> Fidelity | None:
        """The highest with `startup` scored trials, or None."""
        counts: dict[Fidelity, int] = {}
        for trial in history.scored:
            counts[trial.fidelity] = counts.get(trial.fidelity, 0) + 1
        return max((level for level, count in counts.items() if count >= self.startup), default=None)


def _suggested(study: "optuna.Study", space: Space) -> Architecture:
    """One proposal, deciding along the tree so that only live decisions are asked for."""
    import optuna

    trial = study.ask()
    codes = [-1] * len(space.decisions)
    while (index := space.program.undecided(codes)) is not None:
        named = space.decisions[index]
        codes[index] = named.decision.code(suggested(trial, named.path, named.decision))
    # Failed, so that no later proposal takes it for a trial.
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return space.from_codes(space.program.mask(codes))


class _Mirror:
    """An in-memory Optuna study that follows a history.

    Adding a thousand trials to a study takes 0.2 s, so it is kept and only told what is new; if the history is not a
    later state of the one it knows, it starts again. Proposals depend on the scored and running trials in their order
    alone, which are the same either way.
    """

    def __init__(self, space: Space, objectives: int) -> None:
        self._space, self._objectives = space, objectives
        self._restart(None)

    def follow(self, history: History, fidelity: Fidelity) -> "optuna.Study":
        if fidelity != self._fidelity or not self._is_later(history):
            self._restart(fidelity)
        for trial in history.trials[len(self._known) :]:
            self._add(trial)
        for number in sorted(self._running):
            if history.trials[number].state != "running":
                self._tell(history.trials[number], history)
        return self._study

    def _restart(self, fidelity: Fidelity | None) -> None:
        import optuna

        self._fidelity = fidelity
        self._known: list[Trial] = []
        self._numbers: list[int] = []
        self._running: set[int] = set()
        self._study = optuna.create_study(directions=["minimize"] * self._objectives)

    def _is_later(self, history: History) -> bool:
        if len(history.trials) < len(self._known):
            return False
        return all(
            known is trial or known == trial or (number in self._running and _same_start(known, trial))
            for number, (known, trial) in enumerate(zip(self._known, history.trials, strict=False))
        )

    def _add(self, trial: Trial) -> None:
        import optuna

        params = dict(trial.architecture.values)
        known = distributions(self._space)
        self._numbers.append(len(self._study.get_trials(deepcopy=False)))
        self._study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.RUNNING,
                params=params,
                distributions={path: known[path] for path in params},
            )
        )
        self._known.append(trial)
        self._running.add(trial.number)

    def _tell(self, trial: Trial, history: History) -> None:
        import optuna

        self._known[trial.number] = trial
        self._running.discard(trial.number)
        number = self._numbers[trial.number]
        if trial.scored and trial.fidelity == self._fidelity:
            self._study.tell(number, history.losses((trial,))[0].tolist())
        else:
            self._study.tell(number, state=optuna.trial.TrialState.FAIL)


def _same_start(one: Trial, other: Trial) -> bool:
    return (one.number, one.architecture, one.fidelity) == (other.number, other.architecture, other.fidelity)


@lru_cache(maxsize=4)
def _mirror(space: Space, objectives: int) -> _Mirror:
    return _Mirror(space, objectives)
