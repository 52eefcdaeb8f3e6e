"""What would have told the trials' scores before they were trained: proxies and predictors beside params and MACs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, isfinite
from time import perf_counter
from typing import Any

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import nn

from nasturtium.data import Development
from nasturtium.predictors import Correlation, correlations, useful
from nasturtium.predictors.correlation import BASELINES, LEAST_TRIALS
from nasturtium.report.numbers import correlation
from nasturtium.roles import Candidates
from nasturtium.trial import History, Trial
from nasturtium.workflows.foretelling import Unlisted, predictor_scores
from nasturtium.workflows.searching import Searched
from nasturtium.workflows.session import Session
from nasturtium.workflows.untrained import Scores, drawn_batch, proxy_scores, untrained

MOST_TRIALS = 40
MOST_NETWORKS = 20
"""Networks that proxies are measured on where no clock says how many: up to `MOST_TRIALS` with a clock."""
SHARE, LEAST_S, MOST_S = 0.02, 2.0, 20.0
"""Of the budget, and seconds."""
PREDICTOR_SHARE = 0.4
"""Of the audit's time is for predictors, the rest for proxies."""
NO_VALUE = f"no finite value for {LEAST_TRIALS} of the trials"


@dataclass(frozen=True)
class Audit:
    """Correlations of each score with the trials' goodness, best first. kinds: "cost", "proxy" or "predictor", by name.

    useful: names of those that rank better than params and MACs. left_out: why others are not here.
    broken: those of them that raised an error. rows: of the batch that the proxies saw.
    """

    correlations: tuple[Correlation, ...]
    kinds: dict[str, str]
    seconds: dict[str, float]
    useful: tuple[str, ...]
    left_out: dict[str, str]
    broken: tuple[str, ...]
    trials: int
    rows: int


def run_audit(session: Session, searched: Searched) -> dict[str, Any]:
    """`predictors` and `audit` of the result's `search`. What goes wrong in here is a remark, never the run's end."""
    began = perf_counter()
    trials = comparable(searched.history)
    if len(trials) < LEAST_TRIALS:
        sentence = (
            f"What predicts the score before training was not asked: {len(trials)} trials were trained in full, and "
            f"fewer than {LEAST_TRIALS} say nothing of it."
        )
        return audit_record(None, sentence, perf_counter() - began)
    session.progress.phase("Predictors", "what tells the score before training?")
    candidates = searched.candidates if searched.strategy == "auto" else Unlisted(searched.candidates)
    goal = searched.history.objectives[0]
    try:
        with threadpool_limits(1):
            losses = np.array([goal.sign * trial.measures[goal.name] for trial in trials])
            found = audit(trials, losses, candidates, session.data.development, session.seed("audit"), room_s(session))
    except Exception as error:
        session.remark(f"What predicts the score before training could not be asked ({type(error).__name__}: {error}).")
        return audit_record(None, None, perf_counter() - began)
    for name in found.broken:
        reason = found.left_out[name].rstrip(".")
        session.remark(f"{name} could not be worked out for the trials and is left out: {reason}.")
    return audit_record(found, meaning(found), perf_counter() - began)


def room_s(session: Session) -> float:
    """Seconds for the audit: 2 % of the budget, 2 s at least and 20 s at most; no bound without a clock."""
    budget = session.clock.budget_s
    return inf if budget is None else min(MOST_S, max(LEAST_S, SHARE * budget))


def comparable(history: History) -> tuple[Trial, ...]:
    """Trials that were trained to the end at the highest fidelity; of more than 40, 40 spread over the search.

    So early and late proposals and the random control are all there in their shares.
    """
    goal = history.objectives[0].name
    ended = [one for one in history.scored if one.state == "complete" and isfinite(one.measures[goal])]
    top = max((one.fidelity for one in ended), default=None)
    rivals = [one for one in ended if one.fidelity == top]
    places = np.linspace(0, len(rivals) - 1, min(MOST_TRIALS, len(rivals))).round().astype(int)
    return tuple(rivals[place] for place in places)


def audit(
    trials: Sequence[Trial],
    losses: Float[np.ndarray, " trials"],
    candidates: Candidates,
    development: Development,
    seed: int,
    room_s: float = inf,
) -> Audit:
    """Rank correlations of costs, proxies and predictors with the trials' goodness.

    losses: smaller is better. room_s: seconds; without a bound the answer follows from the other arguments alone. The
    proxies see training rows of the search only, and each network with the weights that its own training began with.
    """
    began, space, task = perf_counter(), candidates.space, development.task
    architectures = [space.attach(trial.architecture) for trial in trials]
    largest = max([1.0, *(trial.measures.get("activations", 1.0) for trial in trials)])
    batch = drawn_batch(development, largest, seed)
    networks: list[Callable[[], nn.Module]] = [
        partial(untrained, one, task, trial.seed) for one, trial in zip(architectures, trials, strict=True)
    ]
    order = np.random.default_rng(seed).permutation(len(trials))
    order = order[:MOST_NETWORKS] if room_s == inf else order
    predictors = predictor_scores(architectures, losses, candidates, seed, PREDICTOR_SHARE * room_s)
    macs = np.array([trial.measures["macs"] for trial in trials])
    proxies = proxy_scores(networks, macs, order, batch, seed, room_s - (perf_counter() - began))
    return _judged(trials, losses, proxies, predictors, len(batch), seed)


def _judged(
    trials: Sequence[Trial],
    losses: Float[np.ndarray, " trials"],
    proxies: Scores,
    predictors: Scores,
    rows: int,
    seed: int,
) -> Audit:
    costs = {name: np.array([trial.measures[name] for trial in trials]) for name in BASELINES}
    measured = {**proxies.values, **predictors.values}
    sparse = {name for name, values in measured.items() if np.isfinite(values).sum() < LEAST_TRIALS}
    scores = {**costs, **{name: measured[name] for name in measured if name not in sparse}}
    kinds = {"cost": costs, "proxy": proxies.values, "predictor": predictors.values}
    return Audit(
        correlations=correlations(scores, losses),
        kinds={name: kind for kind, names in kinds.items() for name in names if name in scores},
        seconds={**dict.fromkeys(costs, 0.0), **proxies.seconds, **predictors.seconds},
        useful=useful(scores, losses, seed=seed),
        left_out={**proxies.left_out, **predictors.left_out, **dict.fromkeys(sorted(sparse), NO_VALUE)},
        broken=(*proxies.broken, *predictors.broken),
        trials=len(trials),
        rows=rows,
    )


def meaning(found: Audit) -> str:
    """What the correlations come to, in a sentence."""
    by_name = {one.name: one.spearman for one in found.correlations}
    tried = len(by_name) - len(BASELINES)
    if not any(map(isfinite, by_name.values())):
        return f"Nothing can rank these {found.trials} trials: all scored alike, or look alike beforehand."
    bases = f"params (Spearman {correlation(by_name['params'])}) and MACs ({correlation(by_name['macs'])})"
    if not found.useful:
        return (
            f"None of {tried} proxies and predictors ranks these {found.trials} trials surely better than {bases}, "
            "which cost nothing: none is worth using here."
        )
    names = [f"{name} ({correlation(by_name[name])})" for name in by_name if name in found.useful]
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    verb = "ranks" if len(names) == 1 else "rank"
    return (
        f"{listed} {verb} these {found.trials} trials better than {bases} in nine of ten bootstrap samples; "
        f"with {tried} scores tried, chance may have a part in it."
    )


def audit_record(found: Audit | None, sentence: str | None, seconds: float) -> dict[str, Any]:
    """The keys of the result's `search`."""
    facts = {
        "trials": 0 if found is None else found.trials,
        "rows": None if found is None else found.rows,
        "seconds": round(seconds, 2),
        "sentence": sentence,
        "left_out": {} if found is None else found.left_out,
    }
    return {"predictors": [] if found is None else [_line(found, one) for one in found.correlations], "audit": facts}


def _line(found: Audit, one: Correlation) -> dict[str, Any]:
    spearman, low, high = (round(value, 4) if isfinite(value) else None for value in (one.spearman, one.low, one.high))
    return {
        "name": one.name,
        "kind": found.kinds[one.name],
        "n": one.n,
        "spearman": spearman,
        "low": low,
        "high": high,
        "useful": one.name in found.useful,
        "seconds": round(found.seconds[one.name], 3),
    }
