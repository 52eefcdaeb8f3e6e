"""When a pilot was too short to predict from, and what to do then: better said than a range that says nothing."""

from dataclasses import replace
from math import inf, sqrt
from statistics import median

import numpy as np
from scipy import stats

from nasturtium.advisor import Plan
from nasturtium.advisor.gain import Scale, apart, single
from nasturtium.hardware import shown
from nasturtium.workflows.foreseeing import Run, affordable_macs
from nasturtium.workflows.piloting import LEAST, PILOT_S, Pilot

ENOUGH = 3
"""Networks of a pilot that say something of the spread."""
TOO_WIDE = 10.0
"""A range whose ends are so many times apart, or passes that are so many times as many, are no forecast."""
HALF = 0.5
"""Of the full passes: networks that had fewer differ by how far they came, besides by what they are."""


def too_short(pilot: Pilot, run: Run | None, scale: Scale) -> str | None:
    """Why the pilot says too little, or None where it says enough. run: foreseen from it, None with too few networks.
    scale: of its metric."""
    if len(pilot.tried) < ENOUGH or run is None:
        return f"it trained {len(pilot.tried)} networks in {pilot.seconds:.0f} s, and {ENOUGH} are the least"
    passes = median(one.epochs for one in pilot.tried)
    if not pilot.tells_scores or run.epochs > TOO_WIDE * passes:
        return f"its networks had {passes:.1f} passes each, and those of a search would have {run.epochs}"
    low_s, high_s = training_range(pilot)
    if high_s > TOO_WIDE * low_s:
        return f"by its {len(pilot.tried)} networks a training takes anything from {low_s:.2g} to {high_s:.2g} s"
    _, worst, best = single(pilot.scores, scale)
    if passes < HALF * pilot.epochs and apart(worst, best, scale) > TOO_WIDE:
        return (
            f"its networks had {passes:.1f} of {pilot.epochs} passes each, from which one more would score anything "
            f"from {worst:.3g} to {best:.3g}"
        )
    return None


def training_range(pilot: Pilot) -> tuple[float, float]:
    """Seconds of a typical full training, in nine of ten cases: Student's interval of the mean log of the few."""
    logs = np.log([max(one.full_s, 1e-3) for one in pilot.tried])
    if len(logs) < 2:
        return 0.0, inf
    half = stats.t.ppf(0.95, len(logs) - 1) * logs.std(ddof=1) / sqrt(len(logs))
    return float(np.exp(logs.mean() - half)), float(np.exp(logs.mean() + half))


def unforeseen(plan: Plan, pilot: Pilot, why: str) -> Plan:
    """The plan as it was before the pilot, saying so where its search is advised; no gain, and no time but a guess."""
    told = f"The pilot was too short to predict from: {why}. {_mend(plan, pilot)}"
    seconds = plan.search.seconds
    if seconds is not None:
        seconds = replace(seconds, how="from the MACs alone, at a typical speed: the pilot was too short to say better")
    return replace(plan, search=replace(plan.search, reason=f"{plan.search.reason} {told}", seconds=seconds, gain=None))


def _mend(plan: Plan, pilot: Pilot) -> str:
    """Networks that a pilot can train half-way, where such were among the tried; else what helps in general."""
    usual = "run the search: it measures as it goes, and keeps to its --budget"
    deadline_s = PILOT_S * pilot.workers / max(LEAST, pilot.workers)
    macs = affordable_macs(pilot, deadline_s / HALF)
    held = plan.bounds.limits.macs
    within = macs is not None and macs >= min(one.macs for one in pilot.tried) and (held is None or macs < held)
    if macs is None or not within:
        what = "smaller images (--image-size)" if plan.need.get("modality") == "image" else "part of the rows"
        return f"Advise on {what} for a forecast, or {usual}."
    return f"Advise on smaller networks for a forecast, --max-macs {shown('macs', macs)}, or {usual}."
