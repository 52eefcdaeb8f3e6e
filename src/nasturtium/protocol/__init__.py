"""Splits, baselines, control, finalists, statistics and the last word."""

from nasturtium.protocol.contenders import (
    Contender,
    best_baseline,
    best_random,
    broken_limits,
    compared_baselines,
    quick_models,
    ranked,
    shortlist,
    simpler_baseline,
)
from nasturtium.protocol.final import OpenedTest, Tested, compare_tested, final_checkpoints, final_jobs
from nasturtium.protocol.finalists import (
    COMPARED,
    LISTED,
    begun,
    best_listed,
    final_epochs,
    finalist,
    named_found,
    resplit_jobs,
    resplit_scores,
)
from nasturtium.protocol.jobs import JobLog, run_jobs
from nasturtium.protocol.plan import RESPLITS, SEEDS, SHIPPED, Plan
from nasturtium.protocol.verdict import Decision, Finalist, Setting, decide

__all__ = [
    "COMPARED", "LISTED", "RESPLITS", "SEEDS", "SHIPPED", "Contender", "Decision", "Finalist", "JobLog", "OpenedTest",
    "Plan", "Setting", "Tested", "begun", "best_baseline", "best_listed", "best_random", "broken_limits",
    "compare_tested", "compared_baselines", "decide", "final_checkpoints", "final_epochs", "final_jobs", "finalist",
    "named_found", "quick_models", "ranked", "resplit_jobs", "resplit_scores", "run_jobs", "shortlist",
    "simpler_baseline",
]  # fmt: skip
