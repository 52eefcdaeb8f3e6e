"""The supernet audit: do inherited scores rank architectures as stand-alone scores do?

Yu, Sciuto, Jaggi, Musat and Salzmann, "Evaluating the Search Phase of Neural Architecture Search", ICLR 2020
(arXiv:1902.08142), ask it by Kendall's tau between the two rankings of a sample. Intervals are percentiles of bootstrap
samples of the architectures (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from jaxtyping import Float, Int

from nasturtium.blocks import build
from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.supernet.evolution import Score
from nasturtium.task import Task
from nasturtium.training import Recipe, Resident, derive_seed, find_metric, train

Samples = Float[np.ndarray, " samples"]

LEAST = 10
"""Fewer architectures say nothing."""
UNTRUSTED, ROUGH = 0.2, 0.5
"""Kendall's tau below which inherited scores are not to be trusted, and below which they only sort out the worst."""
RESAMPLES = 1000
TRIES = 100


@dataclass(frozen=True)
class Audit:
    """inherited, standalone: scores of the architectures, larger is better. kendall (tau-b), spearman, and their 95 %
    bootstrap intervals; NaN where one of the two scores is the same for all. n: architectures with both scores."""

    architectures: tuple[Architecture, ...]
    inherited: Float[np.ndarray, " architectures"]
    standalone: Float[np.ndarray, " architectures"]
    n: int
    kendall: float
    kendall_low: float
    kendall_high: float
    spearman: float
    spearman_low: float
    spearman_high: float

    @property
    def sentence(self) -> str:
        """What it means, for a person."""
        if isnan(self.kendall):
            return (
                f"The audit of {self.n} architectures says nothing: one of the two scores is the same for all of them. "
                "Score them on more rows, or train longer."
            )
        facts = (
            f"Kendall's tau between inherited and stand-alone scores is {self.kendall:.2f} (95 % interval "
            f"{self.kendall_low:.2f} to {self.kendall_high:.2f}, {self.n} architectures)"
        )
        if self.kendall < UNTRUSTED:
            advice = (
                "do not trust inherited scores here: train the supernet longer, shrink the space, or search with "
                "networks that are trained alone"
            )
        elif self.kendall < ROUGH:
            advice = "they sort out the worst architectures, no more: train the best tenth alone before choosing"
        else:
            advice = "they rank architectures well enough to search by; still train the finalists alone"
        doubt = ""
        if self.kendall_low < UNTRUSTED <= self.kendall:
            doubt = " The sample is too small to be sure of that: audit more architectures."
        return f"{facts}: {advice}.{doubt}"


def audit(inherited: Score, standalone: Score, architectures: Sequence[Architecture], *, seed: int = 0) -> Audit:
    """Score every architecture both ways and correlate the ranks. seed: of the bootstrap.

    Raises `RunError` for fewer than 10 architectures.
    """
    if len(architectures) < LEAST:
        raise RunError(f"An audit needs at least {LEAST} architectures, and there are {len(architectures)}.")
    pairs = np.array([[inherited(one), standalone(one)] for one in architectures], dtype=float)
    return correlated(tuple(architectures), pairs[:, 0], pairs[:, 1], seed)


def correlated(
    architectures: tuple[Architecture, ...],
    inherited: Float[np.ndarray, " architectures"],
    standalone: Float[np.ndarray, " architectures"],
    seed: int = 0,
) -> Audit:
    """The audit of scores that are known; pairs with a NaN are left out."""
    both = np.isfinite(inherited) & np.isfinite(standalone)
    mine, alone = inherited[both], standalone[both]
    tau = _with_interval(_kendall, mine, alone, seed)
    rho = _with_interval(_spearman, mine, alone, seed)
    return Audit(architectures, inherited, standalone, len(mine), *tau, *rho)


def sampled(candidates: Candidates, count: int, seed: int) -> list[Architecture]:
    """Different architectures within the limits, uniform over the live decisions; fewer where there are not so many."""
    rng, found = np.random.default_rng([seed, 5]), dict[str, Architecture]()
    for _ in range(TRIES * count):
        if len(found) == count:
            break
        drawn = candidates.sample(rng)
        found.setdefault(drawn.arch_id, drawn)
    return list(found.values())


@dataclass(frozen=True, eq=False)
class Alone:
    """Scores architectures by training each of them alone, from weights of its own.

    data: training rows and rows that score, as for `Inherited`. seeds: trainings whose scores are averaged: what a seed
    does to a score no supernet can predict. epochs: None is the recipe's.
    """

    data: Resident
    task: Task
    recipe: Recipe
    seeds: tuple[int, ...] = (0,)
    epochs: int | None = None

    def __call__(self, architecture: Architecture) -> float:
        """Larger is better; NaN if a training diverges."""
        value = float(np.mean([self.measure(architecture, seed) for seed in self.seeds]))
        return value if find_metric(self.task.metric, self.task.kind).direction == "maximize" else -value

    def measure(self, architecture: Architecture, seed: int) -> float:
        """The metric in its own unit, after one training."""
        data = self.data
        targets = data.targets.cpu().numpy()
        network = build(architecture, seed=derive_seed(seed, "alone"))
        trained = train(
            network,
            data.inputs,
            targets if data.scale is None else data.scale.restore(targets),
            data.score_inputs,
            data.score_targets,
            task=self.task,
            recipe=self.recipe,
            epochs=self.epochs,
            seed=seed,
            device=str(data.inputs.device),
        )
        return nan if trained.diverged else trained.score


Statistic = Callable[[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Int[np.ndarray, "samples n"]], Samples]
"""Two scores and rows of each sample -> the correlation in each sample, NaN where one of the scores is constant."""


def _with_interval(
    statistic: Statistic, mine: Float[np.ndarray, " n"], alone: Float[np.ndarray, " n"], seed: int
) -> tuple[float, float, float]:
    """The statistic and its 95 % percentile interval."""
    count = len(mine)
    value = float(statistic(mine, alone, np.arange(count)[None])[0]) if count else nan
    if isnan(value):
        return nan, nan, nan
    drawn = np.random.default_rng([seed, 6]).integers(count, size=(RESAMPLES, count))
    low, high = np.nanpercentile(statistic(mine, alone, drawn), [2.5, 97.5])
    return value, float(low), float(high)


def _kendall(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"], rows: Int[np.ndarray, "samples n"]
) -> Samples:
    """Tau-b (Kendall 1945). A pair counts as often as both of its members were drawn together."""
    above, over = np.sign(first[:, None] - first), np.sign(second[:, None] - second)
    drawn = np.apply_along_axis(np.bincount, 1, rows, minlength=len(first)).astype(float)

    def total(pairs: Float[np.ndarray, "n n"]) -> Samples:
        return np.asarray((drawn @ pairs * drawn).sum(1))

    return _ratio(total(above * over), total(np.abs(above)) * total(np.abs(over)))


def _spearman(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"], rows: Int[np.ndarray, "samples n"]
) -> Samples:
    """Pearson's correlation of the ranks within each sample."""
    from scipy.stats import rankdata

    ranks = [rankdata(scores[rows], axis=1) for scores in (first, second)]
    ranks = [rank - rank.mean(1, keepdims=True) for rank in ranks]
    return _ratio((ranks[0] * ranks[1]).sum(1), (ranks[0] ** 2).sum(1) * (ranks[1] ** 2).sum(1))


def _ratio(product: Samples, squares: Samples) -> Samples:
    return np.divide(product, np.sqrt(squares), out=np.full(len(product), nan), where=squares > 0)
