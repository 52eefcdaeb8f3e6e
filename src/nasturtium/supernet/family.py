"""Families: the best network for each of several limits, from one training of shared weights.

Cai et al., "Once-for-All", ICLR 2020 (arXiv:1908.09791), section 3.4, specialise one trained network to many devices by
evolution, without training again. Here evolution looks at inherited scores themselves, not at predictions of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from torch import nn

from nasturtium.errors import LimitError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.roles import SearchBudget, Trace, TraceReport
from nasturtium.space import Architecture, Space
from nasturtium.supernet.course import Phase
from nasturtium.supernet.evolution import Evolution, Known
from nasturtium.supernet.inherited import Inherited
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.path_search import Asked, Net, Session, Settings
from nasturtium.supernet.recalibration import recalibrate
from nasturtium.training import Recipe, TargetScale, find_metric, train


class Trainer(Protocol):
    """A method whose weights can serve a family: `OnceForAll`, `BigNas`, `Spos`, `FairNas`."""

    @property
    def name(self) -> str: ...

    @property
    def recipe(self) -> Recipe | None: ...

    @property
    def held(self) -> float: ...

    @property
    def evolution(self) -> Evolution: ...

    def phases(self, space: Space) -> Sequence[Phase]: ...


@dataclass(frozen=True, eq=False)
class Member:
    """The best network within one limit.

    network: stand-alone, in evaluation mode, with the weights of the shared training, recalibrated and, if asked,
    trained on; it takes standardised rows. inherited: its metric on the rows that scored it, before it was trained on;
    score: after that. costs: counted, by name. target_scale: of a regression's outputs.
    """

    limits: Limits
    architecture: Architecture
    network: nn.Module
    inherited: float
    score: float
    costs: Mapping[str, int]
    target_scale: TargetScale | None = None


@dataclass(frozen=True, eq=False)
class Family:
    """Members in the order of the limits. trace: of the training."""

    members: tuple[Member, ...]
    trace: Trace


def train_family(
    trainer: Trainer,
    supernet: Net,
    rows: SearchRows,
    budget: SearchBudget,
    limits: Sequence[Limits],
    *,
    seed: int = 0,
    fine_tune: Recipe | None = None,
    report: TraceReport | None = None,
    checkpoint: Path | None = None,
) -> Family:
    """Train the shared weights once and specialise them to each of the limits.

    fine_tune: how each member is trained on after it is taken out; None leaves it as it is. Raises `LimitError`, before
    any training, for limits that nothing in the space can meet.
    """
    if not limits:
        raise LimitError("A family needs at least one limit, such as Limits(params=20_000).")
    costs = CostModel(supernet.space)
    within = [LimitedCandidates(supernet.space, costs, one) for one in limits]
    settings = Settings(trainer.name, trainer.recipe, trainer.held)
    session = Session(settings, supernet, rows, budget, Asked(seed, None, report, checkpoint))
    session.train(trainer.phases(supernet.space))
    known = session.known()
    members = []
    for place, candidates in enumerate(within):
        left_s = session.left_s()
        share_s = None if left_s is None else left_s / (len(within) - place)
        member = specialise(session.score, candidates, trainer.evolution, seed=seed, known=known, deadline_s=share_s)
        session.keep(known)
        members.append(member if fine_tune is None else tuned(member, session.score, fine_tune, seed))
    return Family(tuple(members), session.trace)


def specialise(
    score: Inherited,
    candidates: LimitedCandidates,
    evolution: Evolution,
    *,
    seed: int = 0,
    known: Known | None = None,
    deadline_s: float | None = None,
) -> Member:
    """The best network within the limits of `candidates`, with the weights of the supernet as they are.

    known: inherited scores found before, which other limits can use too; the best of them that are feasible here are in
    the first generation.
    """
    known = {} if known is None else known
    space = candidates.space
    before = sorted(known, key=lambda codes: -known[codes])
    first = [one for one in map(space.from_codes, before) if candidates.feasible(one)][: evolution.top]
    found = evolution(score, candidates, seed, known=known, first=first, deadline_s=deadline_s)
    best = found.best
    measured = replace(score, metric=None).measure(best)  # in the task's metric, whatever was searched by
    network = score.net.extract(best)
    recalibrate(network, score.data.inputs, rows=score.rows, batch=score.batch)
    costs = CostModel(space)(best)
    return Member(candidates.limits, best, network.eval(), measured, measured, costs, score.data.scale)


def tuned(member: Member, score: Inherited, recipe: Recipe, seed: int) -> Member:
    """The member trained on from the weights that it has; as it was, if that makes it worse on the rows that score."""
    data = score.data
    before = {name: tensor.clone() for name, tensor in member.network.state_dict().items()}
    targets = data.targets.cpu().numpy()
    trained = train(
        member.network,
        data.inputs,
        targets if data.scale is None else data.scale.restore(targets),
        data.score_inputs,
        data.score_targets,
        task=score.task,
        recipe=recipe,
        seed=seed,
        device=str(data.inputs.device),
        target_scale=data.scale,
    )
    metric = find_metric(score.task.metric, score.task.kind)
    if metric.better(member.inherited, trained.score):
        member.network.load_state_dict(before)
        return member
    member.network.eval()
    return replace(member, score=trained.score)
