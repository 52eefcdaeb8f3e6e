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
from nasturtium.roles import Candidates, SearchBudget, Trace, TraceReport
from nasturtium.space import Architecture, Space
from nasturtium.supernet.course import Phase
from nasturtium.supernet.evolution import Evolution, Known
from nasturtium.supernet.inherited import Inherited
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.path_search import Asked, Net, Session, Settings
from nasturtium.supernet.recalibration import recalibrate
from nasturtium.training import Recipe, TargetScale, find_metric, train

NEAR_BEST = 0.25
"""Of the architectures that were scored within a limit."""


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
    """The best network within the limits of its candidates.

    network: stand-alone, in evaluation mode, with the weights of the shared training, recalibrated and, if asked,
    trained on; it takes standardised rows. inherited: its metric on the rows that scored it, before it was trained on;
    score: after that. costs: counted, by name. target_scale: of a regression's outputs.
    """

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

    fine_tune: how each member is trained on after it is taken out, for which `specialise` chooses a large one; None
    leaves it as it is. Raises `LimitError`, before any training, for limits that nothing in the space can meet.
    """
    if not limits:
        raise LimitError("A family needs at least one limit, such as Limits(params=20_000).")
    costs = CostModel(supernet.space)
    within = [LimitedCandidates(supernet.space, costs, one) for one in limits]
    settings = Settings(trainer.name, trainer.recipe, trainer.held)
    session = Session(settings, supernet, rows, budget, Asked(seed, None, report, checkpoint))
    session.train(trainer.phases(supernet.space))
    stored, known = session.known(), dict[tuple[int, ...], float]()
    members = []
    for place, candidates in enumerate(within):
        left_s = session.left_s()
        share_s = None if left_s is None else left_s / (len(within) - place)
        member = specialise(
            session.score,
            candidates,
            trainer.evolution,
            seed=seed,
            known=known,
            stored=stored,
            deadline_s=share_s,
            to_be_tuned=fine_tune is not None,
        )
        session.keep(stored)
        members.append(member if fine_tune is None else tuned(member, session.score, fine_tune, seed))
    return Family(tuple(members), session.trace)


def specialise(
    score: Inherited,
    candidates: Candidates,
    evolution: Evolution,
    *,
    seed: int = 0,
    known: Known | None = None,
    stored: Known | None = None,
    deadline_s: float | None = None,
    to_be_tuned: bool = False,
) -> Member:
    """The best network within the limits of `candidates`, with the weights of the supernet as they are.

    known: inherited scores found for other limits; the best of them that are feasible here are up to half of the first
    generation.
    stored: scores that an earlier run found, which are looked up and change nothing else; new ones are added.
    to_be_tuned: it will be trained on. Then it is the one with most MACs of the best quarter by inherited score: shared
    weights are trained less well in large networks than in small ones, which training on makes good.
    """
    known = {} if known is None else known
    kept = {} if stored is None else stored
    space = candidates.space
    before = sorted(known, key=lambda codes: -known[codes])
    most = min(evolution.top, evolution.population // 2)  # the other half is new: what fits here may be larger
    first = [one for one in map(space.from_codes, before) if candidates.feasible(one)][:most]

    def looked_up(architecture: Architecture) -> float:
        codes = space.codes(architecture)
        if codes not in kept:
            kept[codes] = score(architecture)
        return kept[codes]

    found = evolution(looked_up, candidates, seed, known=known, first=first, deadline_s=deadline_s)
    costs = CostModel(space)
    near = found.scored[: max(1, round(NEAR_BEST * len(found.scored)))]
    best = max((one for one, _ in near), key=lambda one: costs(one)["macs"]) if to_be_tuned else found.best
    measured = replace(score, metric=None).measure(best)  # in the task's metric, whatever was searched by
    network = score.net.extract(best)
    recalibrate(network, score.data.inputs, rows=score.rows, batch=score.batch)
    return Member(best, network.eval(), measured, measured, costs(best), score.data.scale)


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
