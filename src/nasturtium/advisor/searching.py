"""To search or not: the space, strategy and scheduler, or why a search would not pay."""

from collections.abc import Sequence
from math import sqrt

from nasturtium.advisor.plan import Conflict, Estimate, Proposal, SearchAdvice
from nasturtium.advisor.proposals import training_s
from nasturtium.advisor.situation import Situation
from nasturtium.zoo.registry import DEFAULTS

LEAST_SCORED = 30
"""Validation rows below which networks cannot be told apart at all."""
LEAST_TRIALS = 12
"""Trainings below which a search is hardly more than a guess; as in `protocol.plan`."""
WANTED_TRIALS, LEAST_EPOCHS = 48, 4
"""Trials that a search makes room for by shorter trainings, and the shortest; as in `workflows.length`."""
MOST_TRIALS = 200
WORKERS = {"cpu": 2, "gpu": 1}
"""Trainings at once, where nothing is known of the machine."""
OVERHEAD_S, UNITS = 13.0, 68.0
"""Seconds of a run that are no training, and trainings of a whole run with the fewest trials; as in `protocol.plan`."""
SEARCH_SHARE = 0.5
"""Of a run's time, that is for the trials; the rest is for baselines, finalists and files."""
NOT_YET = "Nasturtium cannot search or train networks for it yet"


def search_advice(now: Situation, proposed: Sequence[Proposal], conflicts: Sequence[Conflict]) -> SearchAdvice:
    """Before anything was measured on the data; `workflows.advising` refines it with a pilot."""
    if not now.trains:
        return SearchAdvice(
            False, f"{now.kind} on {now.modality} data: {NOT_YET}; what follows is from the literature."
        )
    if not any(one.fits for one in proposed):
        return SearchAdvice(False, "No known network fits the limits: a search would have nothing to begin with.")
    if now.need.get("interpretable"):
        return SearchAdvice(False, "A model that a person can follow was asked for; a search finds none.")
    if now.score_rows < LEAST_SCORED:
        return SearchAdvice(
            False,
            f"About {now.score_rows} rows would score the networks: an accuracy is then known to ± "
            f"{100 * spread(now.score_rows):.0f} points only, far more than networks differ by.",
        )
    return _advised(now, proposed)


def spread(rows: int, share: float = 0.9) -> float:
    """Half a 95 % interval of an accuracy measured on so many rows (normal approximation to the binomial)."""
    return 1.96 * sqrt(share * (1 - share) / rows)


def _advised(now: Situation, proposed: Sequence[Proposal]) -> SearchAdvice:
    fitting = sorted((one for one in proposed if one.fits), key=lambda one: one.macs or 0.0)
    cheapest, typical = fitting[0], fitting[len(fitting) // 2]
    full = max(0.2, training_s(now, typical.macs or 0.0))
    least = training_s(now, cheapest.macs or 0.0) * min(1.0, LEAST_EPOCHS / now.epochs)
    budget = float(now.need.get("budget_s"))
    workers = WORKERS[now.need.get("hardware")]
    longest = max(0.0, budget - OVERHEAD_S) * workers / UNITS
    if longest < least:
        return SearchAdvice(
            False,
            f"{budget:,.0f} s leave room for trainings of {longest:.2g} s, of which a run has about {UNITS:.0f}, and "
            f"{cheapest.name} needs {least:.2g} s even when cut short: train it well instead, or give more time.",
        )
    room = SEARCH_SHARE * budget * workers
    trials = int(min(MOST_TRIALS, max(room / full, min(WANTED_TRIALS, room / max(least, 0.05)))))
    each = min(full, room / trials)
    how = "from the MACs alone, at a typical speed: a pilot on your data says it better"
    return SearchAdvice(
        advised=True,
        reason=f"There is time for about {trials} trainings, and {now.score_rows:,} rows to compare networks on.",
        space=DEFAULTS[now.task.modality],
        strategy="auto",
        scheduler="auto",
        trials=trials,
        budget_s=budget,
        limits={name.removesuffix("_ms"): value for name, value in now.bounds.limits.items()},
        seconds=Estimate(min(budget, each * trials / workers / SEARCH_SHARE), None, None, "assumed", how),
    )
