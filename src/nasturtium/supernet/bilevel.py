"""The bilevel loop of gradient-based architecture search: one part of the rows trains weights, the other architecture.

Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019 (arXiv:1806.09055), algorithm 1. The
algorithms differ in how architecture parameters become the weights of a step (`relax`), in a penalty, in stages, and in
when the architecture may move: each is a constructor in a file of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jaxtyping import Float
from torch import Tensor

from nasturtium.errors import RunError
from nasturtium.roles import Derived, SearchBudget, TraceReport, Wanted
from nasturtium.supernet._bilevel_run import Run
from nasturtium.supernet.eigenvalue import EarlyStop
from nasturtium.supernet.one_shot import Mix, Moment, SearchRows
from nasturtium.supernet.relaxation import softmaxes

if TYPE_CHECKING:
    from nasturtium.supernet.mixtures import Mixture
    from nasturtium.supernet.supernet import Supernet

Parameters = Sequence[Float[Tensor, " options"]]
"""Architecture parameters, float64 on the CPU: one vector a mixture, then what an algorithm adds."""


@dataclass(frozen=True)
class Settings:
    """Defaults: those of DARTS on CIFAR-10 (Liu et al. 2019, section A.1.1 and the authors' code).

    epochs: passes over the rows that train the weights. batch_size: rows of a step, for weights and architecture each.
    train_share: part of the rows that trains the weights. lr, lr_min: SGD's rate goes from one to the other along a
    cosine. weight_decay: on all weights. clip: largest norm of the weights' gradient. arch_lr, arch_betas,
    arch_weight_decay: Adam's for the architecture. architecture_first: is the architecture moved before the weights?
    """

    epochs: int = 50
    batch_size: int = 64
    train_share: float = 0.5
    lr: float = 0.025
    lr_min: float = 0.001
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 3e-4
    clip: float = 5.0
    arch_lr: float = 3e-4
    arch_betas: tuple[float, float] = (0.5, 0.999)
    arch_weight_decay: float = 1e-3
    architecture_first: bool = True

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "train_share", "lr", "clip", "arch_lr"):
            if not getattr(self, name) > 0:
                raise RunError(f"The setting {name} of a search must be above 0, not {getattr(self, name)!r}.")
        if self.train_share > 1:
            raise RunError(f"train_share is a part of the rows: above 0 and at most 1, not {self.train_share!r}.")

    @staticmethod
    def nasbench201(epochs: int = 50) -> "Settings":
        """As the NAS-Bench-201 paper ran DARTS (epochs 50) and GDAS (250) (Dong and Yang 2020; AutoDL-Projects)."""
        return Settings(epochs=epochs, weight_decay=5e-4, nesterov=True, architecture_first=False)


@dataclass(frozen=True)
class Stage:
    """A stretch of a progressive search.

    share: of the schedule. keep: options left in each mixture, the strongest; None prunes none. partial: 1/partial of
    the channels is mixed. frozen: share of the stage in which only the weights learn.
    """

    share: float = 1.0
    keep: int | None = None
    partial: int = 1
    frozen: float = 0.0


Relax = Callable[[Parameters, Moment], Mix]
Probabilities = Callable[[Parameters, "tuple[Mixture, ...]"], list[Tensor]]
Start = Callable[["tuple[Mixture, ...]"], list[int]]
Penalty = Callable[[Parameters, float], Tensor]


def sizes(mixtures: "tuple[Mixture, ...]") -> list[int]:
    """One parameter an option."""
    return [len(mixture.options) for mixture in mixtures]


@dataclass(frozen=True)
class Bilevel:
    """A gradient-based one-shot search (the role `OneShot`).

    start: sizes of the architecture parameters, given the mixtures; each starts as 1e-3 times a standard normal.
    relax: parameters to the weights of a step. probabilities: parameters to the weights that are derived from and
    shown. penalty: added to the validation loss of the architecture; (parameters, progress) -> scalar.
    order: of the architecture's gradient; 2 looks one step of the weights ahead, "exact" without finite differences.
    early_stop: by the dominant eigenvalue of the Hessian; measured without stopping if it says so.
    without_cells: what the search comes to in a space that has none, a remark; empty: nothing else.
    checkpoint_s: seconds between checkpoints. idle: do weights of options that are not computed have a gradient? See
    `_idle`.
    """

    name: str
    relax: Relax
    settings: Settings = Settings()
    start: Start = sizes
    probabilities: Probabilities = softmaxes
    penalty: Penalty | None = None
    order: Literal[1, 2, "exact"] = 1
    stages: tuple[Stage, ...] = (Stage(),)
    early_stop: EarlyStop | None = None
    without_cells: str = ""
    checkpoint_s: float = 60.0
    idle: bool = False

    def train(
        self,
        supernet: "Supernet",
        rows: SearchRows,
        budget: SearchBudget,
        *,
        seed: int = 0,
        wanted: Wanted | None = None,
        report: TraceReport | None = None,
        checkpoint: Path | None = None,
    ) -> Derived:
        """See `OneShot.train`. The supernet trains where its weights are."""
        run = Run(self, supernet, rows, budget, seed, wanted or Wanted(), checkpoint)
        run.resume()
        return run.train(report)

    def with_settings(self, **changes: object) -> "Bilevel":
        """The same search with other settings: `darts().with_settings(epochs=10)`."""
        return replace(self, settings=replace(self.settings, **changes))  # type: ignore[arg-type]
