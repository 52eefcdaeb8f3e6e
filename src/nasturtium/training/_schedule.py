"""The learning rate as a function of progress, and progress as a function of steps and the clock.

One-cycle: Smith and Topin 2018, arXiv:1708.07120, as linear warm-up and cosine decay to zero.
"""

import time
from collections.abc import Callable
from math import cos, floor, pi

from nasturtium.training._recipe import Recipe

MARGIN = 0.02
"""Share of the deadline that is kept back: steps and the last scoring vary."""
IGNORED_STEPS = 3
"""First steps that are not timed: they pay for caches and lazy initialisation."""
TIMED_STEPS = 5
"""Steps that are timed before the pace is believed."""


def rate(recipe: Recipe, progress: float) -> float:
    """Factor of the peak learning rate at a progress in [0, 1]; 0 at the end."""
    warmup = recipe.warmup if recipe.warmup is not None else {"one-cycle": 0.25, "cosine": 0.05}[recipe.schedule]
    if progress < warmup:
        return 0.04 + 0.96 * progress / warmup
    return 0.5 * (1 + cos(pi * min(1.0, (progress - warmup) / max(1e-9, 1 - warmup))))


class Pace:
    """Plans the steps of a training, so that the learning rate reaches 0 whether or not all steps fit the deadline.

    Without a deadline no clock is read and progress is `step / steps`. With one, the time of a step (its share of
    shuffling, augmentation and scoring included) is measured, the steps that still fit are predicted, and progress goes
    evenly from where it is to 1 over the steps that fit, if those are fewer than the steps planned. A deadline that
    never binds therefore changes nothing, bit for bit.

    steps: planned. score_steps: what the last scoring costs, in steps, until `scored` says it in seconds.
    """

    def __init__(
        self,
        steps: int,
        deadline_s: float | None = None,
        score_steps: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.steps = steps
        self.step = 0
        self.progress = 0.0
        self.bound = False
        self._score_steps = score_steps
        self._score_s: float | None = None
        self._clock = clock
        self._end = None if deadline_s is None else clock() + (1 - MARGIN) * deadline_s
        self._timed_from = 0.0

    @property
    def done(self) -> bool:
        """Are all steps done, or is the time up?"""
        return self.step >= self.steps or (self.bound and self.progress >= 1)

    def scored(self, seconds: float) -> None:
        """Learn what one scoring costs."""
        self._score_s = seconds

    def advance(self) -> None:
        """Count one step."""
        self.step += 1
        left = self.steps - self.step
        fitting = self._fitting()
        self.bound = self.bound or fitting < left
        if self.bound:
            self.progress += (1 - self.progress) / (1 + min(left, fitting))
        else:
            self.progress = self.step / self.steps

    def _fitting(self) -> float:
        """Steps that still fit, whole ones; infinite without a deadline and while the pace is unknown."""
        if self._end is None:
            return float("inf")
        now = self._clock()
        if self.step == IGNORED_STEPS:
            self._timed_from = now
        if self.step < IGNORED_STEPS + TIMED_STEPS:
            return float("inf") if now < self._end else 0
        step_s = max((now - self._timed_from) / (self.step - IGNORED_STEPS), 1e-9)
        reserve_s = self._score_steps * step_s if self._score_s is None else 1.2 * self._score_s
        return max(0, floor((self._end - now - reserve_s) / step_s))
