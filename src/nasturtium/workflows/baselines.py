"""Baselines first: the trivial predictor, simple models, and known networks within the limits."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

from nasturtium.blocks import counted
from nasturtium.classical import Classical, applicable
from nasturtium.evaluators import lowered
from nasturtium.hardware import Limits
from nasturtium.protocol import Contender, broken_limits
from nasturtium.roles import Job, Outcome
from nasturtium.trial import Fidelity
from nasturtium.workflows.session import Session
from nasturtium.zoo import known_networks, within

MACS_A_SECOND = 15e9
"""Of a small network in training on one thread; as measured here, and only to leave out what is far too slow."""
PASSES = 3
"""A training step costs about three times the MACs of a prediction."""
LONGEST_S = 300.0
CUT = 3
"""A known network may need so many times the length of a trial; the clock then shortens its schedule."""
LEAST_MACS = 2e6


def run_baselines(session: Session) -> tuple[Contender, ...]:
    """Fit and train every baseline on the search's rows; those over a limit are fitted all the same, and shown."""
    subjects = _subjects(session)
    jobs = [_job(session, name, subject) for name, subject in subjects.items()]
    outcomes = session.run(jobs)
    return tuple(
        _contender(session, name, subject, outcomes[job.key])
        for (name, subject), job in zip(subjects.items(), jobs, strict=True)
    )


def _subjects(session: Session) -> Mapping[str, object]:
    rows = len(session.data.development)
    simple = {spec.name: spec for spec in applicable(session.task, rows)}
    known = within(known_networks(session.task), _trainable(session), session.task)
    return {**simple, **{network.name: network.tree for network in known}}


def _trainable(session: Session) -> Limits:
    """The limits, and a bound on MACs: a known network of a size that cannot be trained in time is no fair baseline."""
    rows = int(session.data.development.train.sum())
    seconds = min(LONGEST_S, CUT * session.plan.trial_s)
    bound = max(LEAST_MACS, MACS_A_SECOND * seconds / (PASSES * rows * session.recipe.epochs))
    return replace(session.limits, macs=min(bound, session.limits.macs or bound))


def _job(session: Session, name: str, subject: object) -> Job:
    return Job(
        key=f"baseline/{name}",
        subject=subject,
        fidelity=Fidelity(1 if isinstance(subject, Classical) else session.recipe.epochs),
        seed=session.seed("baseline"),
        checkpoint=str(session.folder.checkpoints / f"baseline-{name}.safetensors"),
        deadline_s=session.deadline(session.plan.trial_s),
    )


def _contender(session: Session, name: str, subject: object, outcome: Outcome) -> Contender:
    costs: dict[str, float] = {}
    if not isinstance(subject, Classical):
        counts = counted(lowered(subject, session.task), session.task.input)
        costs = {key: float(value) for key, value in asdict(counts).items()}
    measures = {**costs, **outcome.measures}
    return Contender(
        name,
        "baseline",
        subject,
        measures,
        broken=(*broken_limits(session.limits, measures), *_unknown(session, subject)),
        epochs=1 if isinstance(subject, Classical) else session.recipe.epochs,
        seconds=outcome.seconds,
        failure=outcome.failure,
    )


def _unknown(session: Session, subject: object) -> tuple[str, ...]:
    """Limits that cannot be checked for simple models: what is not known is not promised."""
    limited = session.limits.memory is not None and isinstance(subject, Classical)
    return ("memory cannot be counted for it",) if limited else ()


def slowest_network(baselines: Iterable[Contender]) -> tuple[float, float] | None:
    """(seconds, MACs) of one full training of the slowest known network, projected where the clock cut it short."""
    networks = [one for one in baselines if not isinstance(one.subject, Classical) and one.failure is None]
    return max(((full_s(one), one.measures["macs"]) for one in networks), default=None)


def full_s(contender: Contender) -> float:
    """Seconds of a full training."""
    done = max(contender.measures.get("epochs", contender.epochs), 1e-9)
    return contender.seconds * contender.epochs / done
