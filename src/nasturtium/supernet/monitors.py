"""Is a one-shot search healthy? What is watched after every epoch, and what is said about it before it is too late.

Collapse to skip connections: Zela et al. 2020 (arXiv:1909.09656); Liang et al., "DARTS+: Improved Differentiable
Architecture Search with Early Stopping", 2019 (arXiv:1909.06035), stops at two skip connections of the eight edges of a
cell; Chu et al., "Fair DARTS", ECCV 2020 (arXiv:1911.12126), explains the unfair advantage of skips under softmax.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from jaxtyping import Float

from nasturtium.roles import TraceEpoch
from nasturtium.space.describe import lasted
from nasturtium.supernet.eigenvalue import EarlyStop

Weights = Sequence[Float[np.ndarray, " options"]]

SKIPS = frozenset({"skip_connect", "skip", "identity", "Identity"})
"""Names of options that pass their input on."""
MOST_SKIPS = 0.5
"""Share of skip connections from which a derived architecture counts as collapsing: half of all edges, or more."""
UNDECIDED = 0.97
"""Entropy above which the strongest options are hardly stronger than the others."""
FAVOURED = 1.1
"""How many times the mean weight of the next option skips must weigh: a search that has hardly begun shows noise."""
FAIRER = "beta-DARTS"
"""A search that favours skip connections less: alone of four it never collapsed (benchmarks/one_shot.py, size long)."""


def entropy(weights: Weights) -> float:
    """Mean over the mixtures of more than one option: 1 if all options are equally probable, 0 if all is decided."""
    shares = []
    for mixture in weights:
        if len(mixture) > 1:
            sure = mixture[mixture > 0] / mixture.sum()
            shares.append(float(-(sure * np.log(sure)).sum()) / log(len(mixture)))
    return float(np.mean(shares)) if shares else 0.0


def skip_share(options: Sequence[Sequence[str]], chosen: Sequence[Sequence[int]]) -> float | None:
    """Share of skip connections among the chosen options of mixtures that offer one; None if none does.

    chosen: of an architecture, the active options of each mixture: () for an edge that is not in it.
    """
    picked = [
        names[active[0]] in SKIPS
        for names, active in zip(options, chosen, strict=True)
        if active and SKIPS.intersection(names)
    ]
    return sum(picked) / len(picked) if picked else None


def settled(epochs: Sequence[TraceEpoch]) -> bool:
    """Did the strongest option of every mixture stay the same through the last fifth of the epochs, of 5 at least?

    So it did in three of three searches with beta-DARTS (benchmarks/one_shot.py, size cifar). Their entropy ended at
    0.998 or more, that of three others at 0.996 or more, and all six cells are among the best 8 % of NAS-Bench-201.
    """
    last = epochs[-1 - len(epochs) // 5 :]
    strongest = {tuple(int(np.argmax(mixture)) for mixture in epoch.weights) for epoch in last}
    return len(last) > 1 and len(strongest) == 1


@dataclass(frozen=True)
class Watch:
    """Turns the epochs of a search into remarks. method: name of the search, for the words."""

    method: str
    options: tuple[tuple[str, ...], ...]
    early_stop: EarlyStop

    def remarks(self, epochs: Sequence[TraceEpoch], planned: int, said: Sequence[str]) -> list[str]:
        """What is new after the last of `epochs`. said: remarks so far; none is made twice."""
        found = [self._collapse(epochs, planned), self._sharp(epochs, planned)]
        begun = {remark.split(":", 1)[0] for remark in said}
        return [remark for remark in found if remark and remark.split(":", 1)[0] not in begun]

    def final(self, epochs: Sequence[TraceEpoch], passes: float, said: Sequence[str]) -> list[str]:
        """What the last epoch says of what was derived from it. passes: of epochs, the last in part. said: remarks so
        far."""
        if not epochs:
            return []
        return [remark for remark in (self._fewer_skips(epochs[-1], said), self._undecided(epochs, passes)) if remark]

    def _fewer_skips(self, last: TraceEpoch, said: Sequence[str]) -> str | None:
        """A collapse that was announced has not lasted: whoever reads of it should know."""
        if last.skips is None or last.skips >= MOST_SKIPS or not any(one.startswith("Collapse:") for one in said):
            return None
        return (
            f"Fewer skips: the search went on, and at its end {last.skips:.0%} of the edges are skip connections. "
            "Compare what it derived with random architectures before you trust it."
        )

    def _undecided(self, epochs: Sequence[TraceEpoch], passes: float) -> str | None:
        """The decay of beta-DARTS keeps weights alike by design: there it counts whether their order still changes."""
        if epochs[-1].entropy < UNDECIDED or (self.method == FAIRER and settled(epochs)):
            return None
        return (
            f"Undecided: after {lasted(passes)} the options still weigh almost the same (entropy "
            f"{epochs[-1].entropy:.2f} of 1), so that the derived architecture is hardly better founded than a random "
            "one. Search longer (a larger budget), or in Python with a larger arch_lr."
        )

    def _collapse(self, epochs: Sequence[TraceEpoch], planned: int) -> str | None:
        """Two epochs in a row, and skips outweigh every other option: a single epoch may be chance."""
        shares = [epoch.skips for epoch in epochs[-2:] if epoch.skips is not None]
        if len(shares) < 2 or min(shares) < MOST_SKIPS or not self._favoured(epochs[-1].weights):
            return None
        first = next(epoch.skips for epoch in epochs if epoch.skips is not None)
        other = "" if self.method == FAIRER else f", or {FAIRER}"
        return (
            f"Collapse: after epoch {len(epochs)} of {planned}, {shares[-1]:.0%} of the edges of the architecture that "
            f"would be derived are skip connections ({first:.0%} after the first epoch). They help the supernet to "
            "train, and make a weak network by themselves. What helps: the architecture of an earlier epoch "
            f"(the strategy darts-es){other}."
        )

    def _sharp(self, epochs: Sequence[TraceEpoch], planned: int) -> str | None:
        known = [epoch.eigenvalue for epoch in epochs if epoch.eigenvalue is not None]
        grown = self.early_stop.grown(known)
        if grown is None or grown <= self.early_stop.ratio or len(known) < len(epochs):
            return None
        return (
            f"Sharp: after epoch {len(epochs)} of {planned} the dominant eigenvalue of the Hessian is {grown:.2f} "
            f"times what it was {self.early_stop.lag} epochs before (more than {self.early_stop.ratio} announces that "
            "the derived architecture generalises badly, Zela et al. 2020). Stop the search there "
            "(the strategy darts-es), or in Python regularise the weights more (weight_decay)."
        )

    def _favoured(self, weights: Weights) -> bool:
        """Is the skip connection clearly the strongest option on average over the mixtures that offer it?"""
        by_option: dict[str, list[float]] = {}
        for names, mixture in zip(self.options, weights, strict=True):
            if SKIPS.intersection(names):
                for name, weight in zip(names, mixture, strict=True):
                    by_option.setdefault(name, []).append(float(weight))
        means = {name: float(np.mean(values)) for name, values in by_option.items()}
        skips = max((mean for name, mean in means.items() if name in SKIPS), default=0.0)
        return skips > FAVOURED * max((mean for name, mean in means.items() if name not in SKIPS), default=0.0)
