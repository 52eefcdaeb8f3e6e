"""One loss an architecture, all as if at the highest fidelity: how a model reads a search with early stopping."""

import numpy as np
from jaxtyping import Float

from nasturtium.space import Architecture
from nasturtium.trial import Fidelity, History

LEAST = 3
"""Architectures with both scores that a line is drawn through."""


def carried(history: History) -> tuple[tuple[Architecture, ...], Float[np.ndarray, "n objectives"]]:
    """Architectures in the order in which they were first scored, and the losses of each.

    A score at a lower fidelity is carried up, level by level, by the line through those that have both; where these are
    fewer than three, by their mean difference, or else by the two levels' means and deviations.
    """
    levels: dict[Fidelity, dict[str, Float[np.ndarray, " objectives"]]] = {}
    first: dict[str, Architecture] = {}
    for trial, loss in zip(history.scored, history.losses(), strict=True):
        arch_id = trial.architecture.arch_id
        first.setdefault(arch_id, trial.architecture)
        levels.setdefault(trial.fidelity, {})[arch_id] = loss
    above: dict[str, Float[np.ndarray, " objectives"]] = {}
    for fidelity in sorted(levels, reverse=True):
        here = levels[fidelity]
        above = {**_lifted(here, above), **above} if above else here
    losses = np.array([above[arch_id] for arch_id in first]).reshape(len(first), len(history.objectives))
    return tuple(first.values()), losses


def _lifted(
    here: dict[str, Float[np.ndarray, " objectives"]], above: dict[str, Float[np.ndarray, " objectives"]]
) -> dict[str, Float[np.ndarray, " objectives"]]:
    """The losses of one level as they would be at the level above."""
    both = [arch_id for arch_id in here if arch_id in above]
    low, values = np.array(list(here.values())), np.array(list(above.values()))
    if both:
        start, goal = np.array([here[one] for one in both]), np.array([above[one] for one in both])
        slope = np.array([_slope(x, y) for x, y in zip(start.T, goal.T, strict=True)])
        lifted = goal.mean(0) + slope * (low - start.mean(0))
    else:
        spread = np.maximum(low.std(0), 1e-12)
        lifted = values.mean(0) + (low - low.mean(0)) / spread * values.std(0)
    return dict(zip(here, lifted, strict=True))


def _slope(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Of the regression line, within 0 to 2: better at one level is not worse at the next."""
    if len(x) < LEAST or np.ptp(x) == 0:
        return 1.0
    return float(np.clip(np.cov(x, y)[0, 1] / np.var(x, ddof=1), 0.0, 2.0))
