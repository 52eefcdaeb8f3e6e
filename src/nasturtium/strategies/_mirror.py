"""A history as an Optuna study, for the strategies that wrap a sampler which models one (TPE, GP)."""

from functools import lru_cache
from typing import TYPE_CHECKING

from nasturtium.space import Architecture, Space
from nasturtium.strategies._optuna import distributions, suggested
from nasturtium.trial import Fidelity, History, Trial

if TYPE_CHECKING:
    import optuna


def modelled(history: History, least: int) -> Fidelity | None:
    """The fidelity that a model looks at: the highest with `least` scored trials, or None.

    As in BOHB (Falkner, Klein and Hutter, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale", ICML 2018,
    section 3.2): always the largest budget for which there are enough observations.
    """
    counts: dict[Fidelity, int] = {}
    for trial in history.scored:
        counts[trial.fidelity] = counts.get(trial.fidelity, 0) + 1
    return max((level for level, count in counts.items() if count >= least), default=None)


@lru_cache(maxsize=4)
def mirror(space: Space, objectives: int) -> "Mirror":
    """The mirror of a space, kept."""
    return Mirror(space, objectives)


class Mirror:
    """An in-memory Optuna study that follows a history.

    Adding a thousand trials to a study takes 0.2 s, so it is kept and only told what is new; if the history is not a
    later state of the one it knows, it starts again. Proposals depend on the scored and running trials in their order
    alone, which are the same either way.
    """

    def __init__(self, space: Space, objectives: int) -> None:
        self._space, self._objectives = space, objectives
        self._restart(None)

    def follow(self, history: History, fidelity: Fidelity) -> "optuna.Study":
        """The study with the scores at this fidelity; other ended trials have failed there."""
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


def proposal(study: "optuna.Study", space: Space) -> Architecture:
    """One proposal of the study's sampler, deciding along the tree so that only live decisions are asked for."""
    import optuna

    trial = study.ask()
    codes = [-1] * len(space.decisions)
    while (index := space.program.undecided(codes)) is not None:
        named = space.decisions[index]
        codes[index] = named.decision.code(suggested(trial, named.path, named.decision))
    # Failed, so that no later proposal takes it for a trial.
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return space.from_codes(space.program.mask(codes))


def _same_start(one: Trial, other: Trial) -> bool:
    return (one.number, one.architecture, one.fidelity) == (other.number, other.architecture, other.fidelity)
