"""The search loop: scheduler and strategy propose, an executor scores, the store records."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nasturtium.errors import RunError
from nasturtium.roles import Candidates, Continuation, Executor, Fresh, Job, Outcome, Scheduler, Strategy
from nasturtium.space import Architecture
from nasturtium.study.events import Ended, Finished, OnEvent, Plateau, Started, ignore
from nasturtium.study.interrupts import uninterrupted
from nasturtium.study.plateau import plateau
from nasturtium.study.records import Identity, finite
from nasturtium.study.store import Store
from nasturtium.trial import Fidelity, History, Objective, State, Trial

INTERRUPTED = "interrupted"
SAME_FAILURES = 20
PLATEAU_EVERY = 10
WAIT_S = 1.0


@dataclass(frozen=True)
class Study:
    """What is searched, how, and for how long.

    control: the random strategy; it proposes at least `control_share` of the fresh trials, and all of them when
        `strategy` has nothing new.
    seed: of the study; the seeds of every proposal and training are derived from it and the trial's number.
    trials: the budget in trials, continuations and failures included. seconds_left: asked before each trial; what is
        left of the budget of time. None, for either: unlimited.
    trial_deadline_s: of each trial; the budget of time shortens it near the end.
    checkpoints: directory (existing) where trials leave weights, so that a scheduler can continue them.
    fold: see `Job`. stop_on_plateau: end the study where the plateau rule proposes it.
    """

    strategy: Strategy
    control: Strategy
    scheduler: Scheduler
    candidates: Candidates
    objectives: tuple[Objective, ...]
    seed: int
    trials: int | None = None
    seconds_left: Callable[[], float] | None = None
    trial_deadline_s: float | None = None
    control_share: float = 0.15
    checkpoints: Path | None = None
    fold: str = "search"
    stop_on_plateau: bool = False

    def __post_init__(self) -> None:
        if not self.objectives:
            raise RunError("A study needs at least one objective.")
        if not 0.0 <= self.control_share <= 1.0:
            raise RunError(f"The random control's share is {self.control_share}: it must lie between 0 and 1.")
        if self.trials is not None and self.trials < 1:
            raise RunError(f"--trials is {self.trials}: at least 1 trial is needed.")

    @property
    def identity(self) -> Identity:
        return Identity(
            seed=self.seed,
            objectives=self.objectives,
            space=self.candidates.space.name,
            strategy=self.strategy.name,
            scheduler=self.scheduler.name,
            control_share=self.control_share,
        )


def run_study(study: Study, executor: Executor, store: Store, on_event: OnEvent = ignore) -> History:
    """Run, or resume, a study until its budget, space or schedule is used up, and return its history.

    Trials found running in the store are run again first, with the same number, seed and architecture. With one worker
    a study that was killed and resumed any number of times gives the history of an undisturbed one (all but seconds,
    measured costs, and what depends on `seconds_left`).

    Ctrl-C cancels the running trials: in the returned history they have failed with the reason "interrupted"; in the
    store they are left running, so that a resumed study runs them again and loses nothing. The executor is the
    caller's to close. Raises `RunError` when 20 trials in a row fail for the same reason.
    """
    run = _Run(study, executor, store, on_event)
    interrupted = False
    try:
        sentence = run.until_end()
    except KeyboardInterrupt:
        executor.cancel()
        sentence, interrupted = "Interrupted.", True
    except BaseException:
        executor.cancel()
        raise
    history = without_running(store.history)
    on_event(Ended(sentence, history, interrupted))
    return history


def without_running(history: History) -> History:
    """The history with its running trials failed as "interrupted"."""
    trials = (
        replace(trial, state="failed", failure=INTERRUPTED) if trial.state == "running" else trial
        for trial in history.trials
    )
    return History(history.objectives, tuple(trials))


def derived_seed(seed: int, number: int, purpose: int) -> int:
    """A seed for one purpose of one trial: 0 its proposal, 1 its training."""
    return int(np.random.SeedSequence([seed, number, purpose]).generate_state(1)[0])


def is_control(fresh: int, share: float) -> bool:
    """Is the fresh trial with this index (0, 1 …) the control's? So often that the share is met at every moment."""
    return _quota(fresh + 1, share) > _quota(fresh, share)


def _quota(count: int, share: float) -> int:
    return math.ceil(count * share - 1e-9)


class _Run:
    """The state of one call of `run_study`; everything that a later call needs is in the store."""

    def __init__(self, study: Study, executor: Executor, store: Store, on_event: OnEvent) -> None:
        self._study, self._executor, self._store, self._on_event = study, executor, store, on_event
        self._jobs: dict[str, Trial] = {}
        self._failures: list[str] = []
        self._proposed_to_stop = False
        self._end: str | None = None

    def until_end(self) -> str:
        """Run, and say why it ended."""
        waiting = list(self._store.history.running)
        self._check_plateau(self._store.history)
        while True:
            while waiting and len(self._jobs) < self._executor.workers and self._time_left():
                with uninterrupted():
                    self._submit(waiting.pop(0), again=True)
            while len(self._jobs) < self._executor.workers and self._start_next():
                pass
            if not self._jobs:
                return self._end or "The schedule is complete."
            for job, outcome in self._executor.wait(WAIT_S):
                with uninterrupted():
                    self._record(self._jobs.pop(job.key), outcome)

    def _time_left(self) -> bool:
        if self._study.seconds_left is not None and self._study.seconds_left() <= 0:
            self._end = "The budget of time is used up."
            return False
        return True

    def _start_next(self) -> bool:
        """Propose and submit one trial; False if there is none to start now."""
        history = self._store.history
        if self._end is not None or not self._time_left():
            return False
        if self._study.trials is not None and len(history.trials) >= self._study.trials:
            self._end = f"All {self._study.trials} trials are done."
            return False
        step = self._study.scheduler.next(history)
        trial = self._continued(step, history) if isinstance(step, Continuation) else self._fresh(step, history)
        if trial is None:
            return False
        with uninterrupted():
            self._store.start(trial)
            self._submit(trial)
        return True

    def _continued(self, step: Continuation, history: History) -> Trial:
        parent = history.trials[step.parent]
        return self._trial(history, parent.architecture, step.fidelity, parent.origin, step.parent)

    def _fresh(self, step: Fresh | None, history: History) -> Trial | None:
        if step is None:
            return None
        for asked, origin in self._askers(history):
            seed = derived_seed(self._study.seed, len(history.trials), 0)
            found: Sequence[Architecture] = asked.ask(history, 1, seed, self._study.candidates)
            if found and found[0].arch_id not in history.ids:
                return self._trial(history, found[0], step.fidelity, origin, None)
        # While trials run, one that ends may still be continued.
        if not history.running:
            ended = len(history.ids)
            self._end = f"The space is exhausted: all {ended} architectures within the limits were tried."
        return None

    def _askers(self, history: History) -> list[tuple[Strategy, str]]:
        study = self._study
        control = (study.control, "random")
        if is_control(sum(trial.parent is None for trial in history.trials), study.control_share):
            return [control]
        return [(study.strategy, study.strategy.name), control]

    def _trial(
        self, history: History, architecture: Architecture, fidelity: Fidelity, origin: str, parent: int | None
    ) -> Trial:
        number = len(history.trials)
        seed = derived_seed(self._study.seed, number, 1)
        return Trial(number, architecture, fidelity, seed, origin, parent=parent)

    def _submit(self, trial: Trial, again: bool = False) -> None:
        study = self._study
        left = None if study.seconds_left is None else max(0.0, study.seconds_left())
        limits = [limit for limit in (study.trial_deadline_s, left) if limit is not None]
        job = Job(
            key=str(trial.number),
            subject=trial.architecture,
            fidelity=trial.fidelity,
            seed=trial.seed,
            fold=study.fold,
            parent=self._parent_checkpoint(trial),
            checkpoint=None if study.checkpoints is None else str(study.checkpoints / f"{trial.number}.safetensors"),
            deadline_s=min(limits, default=None),
        )
        self._jobs[job.key] = trial
        self._on_event(Started(trial, self._store.history, again))
        self._executor.submit(job, lambda curve: study.scheduler.stop(curve, self._store.history))

    def _parent_checkpoint(self, trial: Trial) -> str | None:
        """By name in the present directory, because a run directory may have been moved before it was resumed."""
        if trial.parent is None:
            return None
        checkpoint = self._store.history.trials[trial.parent].checkpoint
        if checkpoint is None or self._study.checkpoints is None:
            return checkpoint
        return str(self._study.checkpoints / Path(checkpoint).name)

    def _record(self, trial: Trial, outcome: Outcome) -> None:
        ended = judged(trial, outcome, self._study.objectives)
        history = self._store.finish(ended)
        trials = self._study.trials
        left = None if trials is None else trials - sum(trial.state != "running" for trial in history.trials)
        seconds = None if self._study.seconds_left is None else self._study.seconds_left()
        self._on_event(Finished(ended, history, left, seconds))
        self._check_failures(ended)
        self._check_plateau(history)

    def _check_failures(self, ended: Trial) -> None:
        if ended.failure is None:
            self._failures.clear()
            return
        reason = re.sub(r"\d+", "#", ended.failure)
        self._failures = [*self._failures, reason] if reason in self._failures[-1:] else [reason]
        if len(self._failures) >= SAME_FAILURES:
            raise RunError(
                f"The last {SAME_FAILURES} trials failed for the same reason ({ended.failure}), so the search was "
                "stopped. Mend the cause, then resume."
            )

    def _check_plateau(self, history: History) -> None:
        # Every tenth time only: with several objectives the check sorts all trials into fronts.
        if self._proposed_to_stop or len(history.scored) % PLATEAU_EVERY:
            return
        sentence = plateau(history)
        if sentence is not None:
            self._proposed_to_stop = True
            self._on_event(Plateau(sentence, history))
            if self._study.stop_on_plateau:
                self._end = f"Stopped on a plateau. {sentence}"


def judged(trial: Trial, outcome: Outcome, objectives: tuple[Objective, ...]) -> Trial:
    """The trial with its outcome. An objective that is missing or not finite is a failure; other measures that are not
    finite are left out."""
    failure = outcome.failure
    for goal in objectives:
        if failure is None and goal.name not in outcome.measures:
            failure = f"the evaluator gave no {goal.name!r}"
        elif failure is None and not math.isfinite(outcome.measures[goal.name]):
            failure = f"{goal.name} is {outcome.measures[goal.name]}"
    state: State = "failed" if failure is not None else "stopped" if outcome.stopped else "complete"
    return replace(
        trial,
        state=state,
        measures={name: value for name, value in outcome.measures.items() if math.isfinite(value)},
        curve=finite(outcome.curve),
        seconds=outcome.seconds,
        checkpoint=outcome.checkpoint,
        failure=failure,
    )
