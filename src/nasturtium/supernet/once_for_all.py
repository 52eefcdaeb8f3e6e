"""Once-for-all: progressive shrinking with knowledge distillation.

Cai, Gan, Wang, Zhang and Han, "Once-for-All: Train One Network and Specialize it for Efficient Deployment", ICLR 2020
(arXiv:1908.09791), section 3.3; shares, rates and numbers of paths are those of the authors' code
(train_ofa_net.py: 180, 120, 25 + 120, 25 + 120 passes; one path a step for kernels, two for depths, four for widths).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from nasturtium.roles import Derived, SearchBudget, TraceReport, Wanted
from nasturtium.space import Architecture, Space
from nasturtium.space.places import Codes
from nasturtium.supernet.course import Phase
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.inherited import HELD
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.path_search import Asked, Net, Session, Settings
from nasturtium.supernet.paths import Batch, PathNet, taught
from nasturtium.supernet.sizes import DIMENSIONS, Dimension, dimensions, extremes, greatest
from nasturtium.supernet.sorting import sort_channels
from nasturtium.supernet.supernet import Supernet
from nasturtium.training import Recipe

PATHS: dict[Dimension, int] = {"kernel": 1, "depth": 2, "width": 4}
"""Paths a step in the phases of a dimension."""


@dataclass(frozen=True)
class Elastic:
    """Random paths of which the ordered decisions that are not elastic yet stay as in the largest network.

    depths: by number of an elastic decision, how many of its values, from the largest on, may be taken; None takes all.
    Decisions without an order (blocks, activations) are free from the start.
    """

    space: Space
    fixed: tuple[tuple[int, int], ...]
    reach: tuple[tuple[int, int], ...] = ()
    count: int = 1

    def __call__(self, rng: np.random.Generator) -> list[Architecture]:
        return [self._one(rng) for _ in range(self.count)]

    def _one(self, rng: np.random.Generator) -> Architecture:
        raw = self.space.program.draw_raw(rng)
        for index, code in self.fixed:
            raw[index] = code
        for index, values in self.reach:
            size = self.space.program.sizes[index]
            raw[index] = size - 1 - int(rng.integers(min(values, size)))
        return self.space.from_codes(self.space.program.mask(raw))


@dataclass(frozen=True)
class Distilled:
    """Labels, and `share` times what the full network says (the authors' `kd_ratio`, 1)."""

    share: float = 1.0

    def __call__(self, paths: Sequence[Architecture], batch: Batch) -> Iterator[Float[Tensor, ""]]:
        said = None if batch.teacher is None or self.share == 0 else taught(batch.teacher, batch.inputs)
        for path in paths:
            outputs = batch.forward(path)
            loss = batch.loss(outputs, batch.targets)
            yield loss if said is None else loss + self.share * batch.soft(outputs, said)


@dataclass(frozen=True)
class OnceForAll:
    """The full network first, then elastic kernels, depths and widths, each added to what was elastic before.

    Phases of dimensions that the space does not have are left out; the two stages of depth and width first allow the
    two largest values, then all. full, small: shares of the passes of the first phase and of each dimension's, `first`
    of the first stages of depth and width. rates: factors of the learning rate in the phases kernel, first stage, and
    second stage. distillation: its weight.

    Channels are sorted by importance before they shrink (see `sorting`); smaller kernels are learnt transformations of
    larger ones where the supernet has them (`Supernet(space, transforms=True)`). recipe: of the shared weights; None is
    the task's default, with three times the passes; `original` has that of the authors. held: share of the rows that
    score paths.
    """

    full: float = 180.0
    small: float = 120.0
    first: float = 25.0
    rates: tuple[float, float, float] = (0.37, 0.03, 0.09)
    distillation: float = 1.0
    recipe: Recipe | None = None
    evolution: Evolution = field(default_factory=Evolution)
    held: float = HELD
    name: str = "ofa"

    @classmethod
    def original(cls) -> "OnceForAll":
        """The authors' settings for ImageNet on 32 GPUs: batch 2048, SGD with Nesterov momentum 0.9, rate 2.6 for the
        full network, weight decay 3e-5, label smoothing 0.1; 590 passes in all. Each phase warms up here, there only
        the long ones; crops of several resolutions are not part of a recipe."""
        return cls(recipe=Recipe("sgd", 2.6, 3e-5, 0.9, "cosine", None, 590, 2048, 0.1))

    def train(
        self,
        supernet: Net,
        rows: SearchRows,
        budget: SearchBudget,
        *,
        seed: int = 0,
        wanted: Wanted | None = None,
        report: TraceReport | None = None,
        checkpoint: Path | None = None,
    ) -> Derived:
        """See `roles.OneShot`."""
        settings = Settings(self.name, self.recipe, self.held)
        session = Session(settings, supernet, rows, budget, Asked(seed, wanted, report, checkpoint))
        session.train(self.phases(supernet.space))
        return session.derive(self.evolution)

    def phases(self, space: Space) -> list[Phase]:
        """The course over the ordered decisions of a space."""
        largest, kinds = extremes(space).largest, dimensions(space)
        widest = _widest(space, largest)
        fixed = {index: widest[index] for index in kinds}
        lesson = Distilled(self.distillation)
        found = [Phase("full", Elastic(space, tuple(fixed.items())), share=self.full, graduate=largest)]
        for kind in DIMENSIONS:
            mine = [index for index, its in kinds.items() if its == kind and space.program.sizes[index] > 1]
            fixed = {index: code for index, code in fixed.items() if index not in mine}
            kept, paths = tuple(fixed.items()), PATHS[kind]
            near = None
            if kind != "kernel" and any(space.program.sizes[index] > 2 for index in mine):
                near = {index: max(0, space.program.sizes[index] - 2) for index in mine}
                draw = Elastic(space, kept, tuple((index, 2) for index in mine), paths)
                before = Sorted(widest) if kind == "width" else None
                found.append(
                    Phase(f"{kind}, first", draw, lesson, self.first, self.rates[1], effort=paths, before=before)
                )
            if mine:
                rate = self.rates[0] if kind == "kernel" else self.rates[2]
                before = Sorted(widest, near) if kind == "width" else None
                draw = Elastic(space, kept, (), paths)
                found.append(Phase(kind, draw, lesson, self.small, rate, effort=paths, before=before))
        return found


@dataclass(frozen=True)
class Sorted:
    """Sorts the channels of a supernet. greatest: codes of the widest network, see `sort_channels`. trained: the least
    codes of the widths that were elastic before; None if none was."""

    greatest: Codes
    trained: Mapping[int, int] | None = None

    def __call__(self, net: PathNet) -> None:
        assert isinstance(net, Supernet), "only a supernet has channels to sort"
        trained = None
        if self.trained is not None:
            trained = net.space.program.mask([self.trained.get(at, code) for at, code in enumerate(self.greatest)])
        sort_channels(net, self.greatest, trained)


def _widest(space: Space, largest: Architecture) -> Codes:
    """Code of every decision in the largest network. What is dead in it (an option not taken) is ordered as well: its
    greatest value."""
    pairs = zip(space.codes(largest), greatest(space), strict=True)
    return tuple(code if code >= 0 else most for code, most in pairs)
