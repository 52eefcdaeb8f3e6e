"""What a pilot says about the plan: what a search would cost and gain, and whether it would pay."""

from dataclasses import replace

from nasturtium.advisor import Estimate, Plan, Start
from nasturtium.advisor.gain import Scale, outlook, single
from nasturtium.advisor.proposals import MOST
from nasturtium.advisor.searching import LEAST_TRIALS, MOST_TRIALS, spread
from nasturtium.errors import LimitError
from nasturtium.training import METRICS, Recipe
from nasturtium.workflows.foreseeing import Run, foresee
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.piloting import Pilot, run_pilot
from nasturtium.workflows.preparation import Prepared
from nasturtium.workflows.progress import Progress
from nasturtium.workflows.record import BEST_POSSIBLE
from nasturtium.workflows.search import usable_cores
from nasturtium.workflows.starting import of_space, space_of
from nasturtium.workflows.starved import ENOUGH, too_short, unforeseen


def with_pilot(plan: Plan, options: SearchOptions, prepared: Prepared, recipe: Recipe, progress: Progress) -> Plan:
    """The plan with what a pilot measured. Unchanged where no search is advised anyway; where the pilot was too short
    to predict from, the plan says so and foresees nothing from it."""
    if not plan.search.advised:
        return plan
    try:
        candidates, costs = space_of(plan, prepared)
    except LimitError:
        return plan
    progress.phase("Pilot", "a few random networks and simple models")
    workers = options.workers or usable_cores()
    pilot = run_pilot(options, prepared, recipe, candidates, costs, workers, progress)
    limits, enough = plan.bounds.limits, len(pilot.tried) >= ENOUGH
    run = foresee(pilot, prepared.task, limits, None, plan.search.budget_s) if enough else None
    why = too_short(pilot, run, _scale(pilot, prepared))
    if run is None or why is not None:
        told = unforeseen(plan, pilot, why or "")
        return replace(told, baselines=_scored(plan, pilot), pilot=record(pilot, None, why))
    judged = judge(plan, pilot, prepared, run)
    best = max(pilot.tried, key=lambda one: one.score * (1 if maximised(pilot.metric) else -1))
    own = Estimate(
        best.score, None, None, "measured", f"in the pilot, {best.epochs:.0f} of {pilot.epochs} passes, one seed"
    )
    first = of_space(judged, best.architecture, dict(costs(best.architecture)), "pilot", own,
                     f"The best of {len(pilot.tried)} random networks of the pilot.")  # fmt: skip
    kept = [one for one in judged.proposals if one.space is None][: MOST - 1]
    return replace(judged, proposals=(*kept, first))


def judge(plan: Plan, pilot: Pilot, prepared: Prepared, run: Run) -> Plan:
    """Time and gain of the search `run`, expected scores of known networks, and scores of simple models."""
    scale = _scale(pilot, prepared)
    ahead = outlook(pilot.scores, run.trials, scale)
    how = f"{len(pilot.tried)} random networks of the pilot on this data"
    expected, least, most = (round(value, 4) for value in ahead.gain)
    gain = Estimate(expected, least, most, "predicted", f"over the best of {how}")
    seconds = run.estimate(f"{run.trials} trials of {run.epochs} passes, and all the rest of a run; from {how}")
    middle, low, high = single(pilot.scores, scale)
    likely = Estimate(round(middle, 4), round(low, 4), round(high, 4), "predicted", f"from {how}: most lie there")
    return replace(
        plan,
        search=replace(
            plan.search,
            advised=_pays(pilot, run, most, prepared),
            reason=_reason(pilot, run, ahead.gain, prepared),
            trials=min(run.trials, MOST_TRIALS),
            seconds=seconds,
            gain=gain,
        ),
        baselines=_scored(plan, pilot),
        proposals=tuple(one if one.space else replace(one, expected=likely) for one in plan.proposals),
        pilot=record(pilot, run),
    )


def maximised(metric: str) -> bool:
    return METRICS[metric].direction == "maximize"


def _scale(pilot: Pilot, prepared: Prepared) -> Scale:
    return scale_of(pilot.metric, int((~prepared.development.train).sum()))


def scale_of(metric: str, rows: int) -> Scale:
    """The scale of a metric that is measured on so many rows."""
    best = BEST_POSSIBLE.get(metric)
    worst = None if best is None or metric == "r2" else 0.0
    return Scale(best, 1 / rows if best is not None else 1e-12, maximised(metric), worst)


def _noise(pilot: Pilot, prepared: Prepared) -> float:
    """Half a 95 % interval of the best score; 0 for metrics that are no shares."""
    if pilot.metric not in BEST_POSSIBLE or pilot.metric == "r2":
        return 0.0
    rows, best = int((~prepared.development.train).sum()), max(pilot.scores)
    return spread(rows, min(max(best, 0.0), 1 - 1 / (rows + 2)))


def _pays(pilot: Pilot, run: Run, most: float, prepared: Prepared) -> bool:
    """Is there time for a search, and may it gain what can be seen at all?"""
    return run.trials >= LEAST_TRIALS and most >= _noise(pilot, prepared) / 2


def _reason(pilot: Pilot, run: Run, gain: tuple[float, float, float], prepared: Prepared) -> str:
    expected, _, most = gain
    best = max(pilot.scores) if maximised(pilot.metric) else min(pilot.scores)
    told = (
        f"The best of {len(pilot.tried)} random networks reached {pilot.metric} {best:.4g}; {run.trials} trials would "
    )
    told += f"gain {expected:.2g} more, {most:.2g} at most."
    noise = _noise(pilot, prepared)
    if run.trials < LEAST_TRIALS:
        return f"There is time for {run.trials} trials only. {told}"
    if most < noise / 2:
        return f"{told} That cannot be told from chance: the validation rows say the score to ± {noise:.2g}."
    if expected < noise:
        return f"{told} The validation rows say the score to ± {noise:.2g}, so the gain may not show."
    return told


def _scored(plan: Plan, pilot: Pilot) -> tuple[Start, ...]:
    """The baselines, with what the pilot says of them."""
    return tuple(
        replace(one, score=pilot.simple[one.name][0]) if one.name in pilot.simple else one for one in plan.baselines
    )


def record(pilot: Pilot, run: Run | None, too_short: str | None = None) -> dict[str, object]:
    """The pilot in the plan's JSON. run: None where it was too short to foresee one, for that reason."""
    return {
        "metric": pilot.metric,
        "networks": [
            {"score": one.score, "macs": one.macs, "epochs": one.epochs, "full_s": round(one.full_s, 3)}
            for one in pilot.tried
        ],
        "simple": {name: {"score": score, "seconds": round(took, 3)} for name, (score, took) in pilot.simple.items()},
        "seconds": round(pilot.seconds, 1),
        "epochs": pilot.epochs,
        "workers": pilot.workers,
        "shortened": pilot.cut,
        "too_short": too_short,
        "foreseen": None if run is None else {name: round(part, 1) for name, part in run.parts.items()},
    }
