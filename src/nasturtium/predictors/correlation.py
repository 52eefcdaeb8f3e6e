"""How well cheap scores rank the trials that were trained: every proxy and predictor, beside params and MACs.

Spearman's interval: Fisher's z with the variance (1 + r²/2) / (n - 3) of Bonett and Wright, "Sample Size Requirements
for Estimating Pearson, Kendall and Spearman Correlations", Psychometrika 65, 2000; Kendall's with their 0.437 / (n - 4)
(after Fieller, Hartley and Pearson 1957). Whether one score ranks better than another is asked of bootstrap samples of
the trials (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13), because the two correlations
share their trials.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import atanh, nan, sqrt, tanh
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from nasturtium.errors import RunError
from nasturtium.predictors._surrogate import Surrogate

BASELINES = ("params", "macs")
"""What a score has to beat: both are known without looking at data."""
LEAST_TRIALS = 10
"""Fewer say nothing: an interval for 9 trials without any correlation goes from -0.7 to 0.7."""
RESAMPLES = 1000
FOLDS = 5


@dataclass(frozen=True)
class Correlation:
    """Rank correlation of one score with the goodness of the trials; positive: more is better.

    n: trials where both are finite. low, high: 95 % interval of `spearman`; kendall_low, kendall_high: of `kendall`
    (tau-b). NaN for fewer than 5 trials and for scores that are all equal.
    """

    name: str
    n: int
    spearman: float
    low: float
    high: float
    kendall: float
    kendall_low: float
    kendall_high: float


def correlate(name: str, score: Float[np.ndarray, " trials"], losses: Float[np.ndarray, " trials"]) -> Correlation:
    """The correlation of one score with the negated losses; trials without the one or the other are left out."""
    from scipy.stats import kendalltau, spearmanr

    both = np.isfinite(score) & np.isfinite(losses)
    mine, good, n = score[both], -losses[both], int(both.sum())
    if n < 5 or np.ptp(mine) == 0 or np.ptp(good) == 0:
        return Correlation(name, n, nan, nan, nan, nan, nan, nan)
    rho, tau = float(spearmanr(mine, good).statistic), float(kendalltau(mine, good).statistic)
    return Correlation(name, n, rho, *spearman_interval(rho, n), tau, *kendall_interval(tau, n))


def spearman_interval(rho: float, n: int) -> tuple[float, float]:
    """95 % interval of a Spearman correlation of `n` pairs (Bonett and Wright 2000)."""
    return _interval(rho, sqrt((1 + rho**2 / 2) / (n - 3)))


def kendall_interval(tau: float, n: int) -> tuple[float, float]:
    """95 % interval of a Kendall correlation of `n` pairs (the same, after Fieller, Hartley and Pearson 1957)."""
    return _interval(tau, sqrt(0.437 / (n - 4)))


def correlations(
    scores: Mapping[str, Float[np.ndarray, " trials"]], losses: Float[np.ndarray, " trials"]
) -> tuple[Correlation, ...]:
    """Of every score, params and MACs among them, best Spearman first. losses: smaller is better.

    Raises `RunError` if "params" or "macs" is missing, or lengths differ: no proxy is shown without them.
    """
    _check(scores, losses)
    found = [correlate(name, np.asarray(score, dtype=float), losses) for name, score in scores.items()]
    return tuple(sorted(found, key=lambda one: (np.isnan(one.spearman), -one.spearman)))


def useful(
    scores: Mapping[str, Float[np.ndarray, " trials"]],
    losses: Float[np.ndarray, " trials"],
    *,
    seed: int = 0,
    confidence: float = 0.9,
) -> tuple[str, ...]:
    """Names of the scores that rank these trials better than both params and MACs, in the order given.

    The rule: among the trials where all of the three are finite (10 at least), the score's Spearman correlation is
    positive, and in at least `confidence` of 1,000 bootstrap samples of the trials it is larger than the larger of the
    two *absolute* correlations of params and MACs (networks that are better when smaller are no news either). The
    baselines are never useful themselves. seed: of the samples.
    """
    _check(scores, losses)
    bases = [np.asarray(scores[name], dtype=float) for name in BASELINES]
    found = []
    for name, score in scores.items():
        if name in BASELINES:
            continue
        rows = np.array([np.asarray(score, dtype=float), *bases, -losses])
        kept = rows[:, np.isfinite(rows).all(0)]
        if kept.shape[1] >= LEAST_TRIALS and _beats(kept, np.random.default_rng(seed)) >= confidence:
            found.append(name)
    return tuple(found)


def _beats(rows: Float[np.ndarray, "4 trials"], rng: np.random.Generator) -> float:
    """Part of the bootstrap samples in which row 0 ranks the last row better than rows 1 and 2 do."""
    count = rows.shape[1]
    drawn = np.concatenate([[np.arange(count)], rng.integers(count, size=(RESAMPLES, count))])
    mine, params, macs = _spearmans(rows[:, drawn])
    if not mine[0] > 0:
        return 0.0
    return float((mine > np.maximum(np.abs(params), np.abs(macs)))[1:].mean())


def _spearmans(rows: Float[np.ndarray, "4 samples trials"]) -> Float[np.ndarray, "3 samples"]:
    """Spearman of the first three rows with the last, in every sample; 0 where one is constant."""
    from scipy.stats import rankdata

    ranks = rankdata(rows, axis=-1)
    ranks -= ranks.mean(-1, keepdims=True)
    lengths = np.sqrt((ranks**2).sum(-1))
    products = (ranks[:3] * ranks[3]).sum(-1)
    scale = lengths[:3] * lengths[3]
    return np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)


def cross_validated(
    surrogate: Surrogate[Any], features: Any, losses: Float[np.ndarray, " trials"], seed: int, folds: int = FOLDS
) -> Float[np.ndarray, " trials"]:
    """Each trial's predicted goodness (minus the loss), by a surrogate that has not seen its fold.

    So that a fitted predictor stands beside proxies that are fitted to nothing. Ranks are compared across folds, and a
    model is drawn to the mean of its training trials, which is the worse the better the fold: one that has learnt
    nothing else would rank 12 trials at -0.5 in random folds. So each fold gets trials from every level of the losses,
    which halves that with 12 trials and leaves little of it with 20. features: a matrix or a sequence. NaN for all with
    fewer than two trials a fold.
    """
    count = len(losses)
    if count < 2 * folds:
        return np.full(count, nan)
    fold_of, predicted = _levelled(losses, seed, folds), np.empty(count)
    for fold in range(folds):
        held = fold_of == fold
        fitted = surrogate.fit(_rows(features, ~held), losses[~held], seed)
        predicted[held] = -fitted.predict(_rows(features, held))[0]
    return predicted


def _levelled(losses: Float[np.ndarray, " trials"], seed: int, folds: int) -> Int[np.ndarray, " trials"]:
    """The fold of each trial: of every `folds` trials that follow one another in their losses, one goes to each."""
    rng, order = np.random.default_rng(seed), np.argsort(losses, kind="stable")
    fold_of = np.empty(len(losses), dtype=int)
    for start in range(0, len(losses), folds):
        block = order[start : start + folds]
        fold_of[block] = rng.permutation(folds)[: len(block)]
    return fold_of


def _rows(features: Any, chosen: Bool[np.ndarray, " rows"]) -> Any:
    if isinstance(features, np.ndarray):
        return features[chosen]
    return [features[row] for row in np.flatnonzero(chosen)]


def _interval(value: float, deviation: float) -> tuple[float, float]:
    """Of 95 %, by Fisher's z."""
    if abs(value) >= 1.0:
        return value, value
    return tanh(atanh(value) - 1.959964 * deviation), tanh(atanh(value) + 1.959964 * deviation)


def _check(scores: Mapping[str, Sequence[float] | Float[np.ndarray, " trials"]], losses: Collection[float]) -> None:
    missing = [name for name in BASELINES if name not in scores]
    if missing:
        raise RunError(
            f"The scores lack {' and '.join(map(repr, missing))}: no proxy is judged without params and MACs beside it."
        )
    for name, score in scores.items():
        if len(score) != len(losses):
            raise RunError(f"The score {name!r} has {len(score)} values and there are {len(losses)} trials.")
