"""Baselines first: the trivial predictor, simple models, and known networks within the limits."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from statistics import median

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
    contenders = tuple(
        _contender(session, name, subject, outcomes[job.key])
        for (name, subject), job in zip(subjects.items(), jobs, strict=True)
    )
    session.progress.lines([_line(one, session.task.metric) for one in contenders])
    return contenders


def _line(one: Contender, metric: str) -> str:
    """One baseline in one line."""
    score = f"{metric} {one.measures[metric]:.4g}" if metric in one.measures else f"failed: {one.failure}"
    over = f"  barred: {one.broken[0].split()[0]}" if one.broken else ""
    return f"{one.name:<18}{score:<22}{one.measures.get('params', 0):>9,.0f} params{over}"


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
        broken=broken_limits(session.limits, measures),
        epochs=1 if isinstance(subject, Classical) else session.recipe.epochs,
        seconds=outcome.seconds,
        failure=outcome.failure,
    )


@dataclass(frozen=True)
class Speed:
    """What the known networks took, projected to full trainings where the clock cut them short.

    full_s: seconds of a typical one. macs_a_second: MACs that the quickest for its size allows a second of a full
    training.
    """

    full_s: float
    macs_a_second: float


def measured_speed(baselines: Iterable[Contender]) -> Speed | None:
    """None if no known network was trained."""
    networks = [one for one in baselines if not isinstance(one.subject, Classical) and one.failure is None]
    if not networks:
        return None
    seconds = [full_s(one.seconds, one.measures, one.epochs) for one in networks]
    rates = [one.measures["macs"] / each for one, each in zip(networks, seconds, strict=True)]
    return Speed(median(seconds), max(rates))


def full_s(seconds: float, measures: Mapping[str, float], epochs: int) -> float:
    """Seconds of a training of `epochs`, from one that did as many as its measures say."""
    return seconds * epochs / max(measures.get("epochs", epochs), 1e-9)
