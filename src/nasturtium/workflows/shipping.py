"""From the choice to the files: retrain, export, measure the limits again, and only then open the test set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasturtium.errors import RunError
from nasturtium.evaluators import model_call, restore
from nasturtium.export import CardFacts, Deployable, ExportReport, write_best, write_card
from nasturtium.hardware import Limits, measure_file
from nasturtium.protocol import Contender, final_checkpoints, final_jobs
from nasturtium.space import Architecture
from nasturtium.workflows.folder import surroundings
from nasturtium.workflows.session import Session

CHECK_ROWS = 512


@dataclass(frozen=True)
class LimitCheck:
    """One limit on the exported file. known: "counted" or "measured"."""

    name: str
    limit: float
    value: float
    known: str

    @property
    def ok(self) -> bool:
        return self.value <= self.limit


@dataclass(frozen=True)
class Shipped:
    """What is in `best/`. measured: costs of the exported file. limits: checked on them."""

    contender: Contender
    deployable: Deployable
    export: ExportReport
    measured: Mapping[str, float]
    limits: tuple[LimitCheck, ...]


def retrain(session: Session, contenders: Sequence[Contender], deadline_s: float | None) -> dict[str, list[str]]:
    """Train each contender on every development row, several seeds; checkpoints by name."""
    folder = session.folder.checkpoints
    jobs = [job for one in contenders for job in final_jobs(one, session.seed, folder, deadline_s)]
    outcomes = session.run(jobs)
    return {contender.name: final_checkpoints(contender, outcomes) for contender in contenders}


def ship(session: Session, order: Sequence[Contender], checkpoints: Mapping[str, list[str]]) -> Shipped | None:
    """Export the first of `order` whose file meets every limit; None if none does. A model that cannot be exported is
    passed over, because what the run has found is not lost with it; a disk that cannot be written ends the run."""
    for contender in order:
        if not checkpoints.get(contender.name):
            session.remark(f"No final training of {contender.name} ended well; the next one is taken.")
            continue
        deployable = deployable_of(session, contender, checkpoints[contender.name][0])
        try:
            report = export(session, contender, deployable)
        except RunError as error:
            if isinstance(error.__cause__, OSError):
                raise
            session.remark(f"{contender.name} cannot be exported; the next one is taken. {error}")
            continue
        measured = measure_file(session.folder.best / "model.onnx", session.task.input)
        checks = check_limits(session.limits, dearest(contender.measures, measured))
        if all(check.ok for check in checks):
            return Shipped(contender, deployable, report, measured, checks)
        over = ", ".join(check.name for check in checks if not check.ok)
        session.remark(f"{contender.name} is over the limit on {over} in its exported file; the next one is taken.")
    return None


def deployable_of(session: Session, contender: Contender, checkpoint: str) -> Deployable:
    """The trained model, ready to be handed over."""
    model = restore(contender.subject, session.task, checkpoint)
    call = model_call(contender.subject, session.task, checkpoint)
    return Deployable(contender.name, session.task, call, model.state_dict())


def export(session: Session, contender: Contender, deployable: Deployable) -> ExportReport:
    """Write `best/`, checked against the trained model on development rows."""
    subject = contender.subject
    return write_best(
        session.folder.best,
        deployable,
        session.data.preprocessing.to_json(),
        subject.to_json() if isinstance(subject, Architecture) else None,
        session.data.development.inputs[:CHECK_ROWS],
        CardFacts(data=session.data.name),
    )


def finish_card(session: Session, shipped: Shipped, record: Mapping[str, Any]) -> None:
    """Write MODEL_CARD.md again, with what was not known when the files were written: the test scores above all."""
    best = record["best"]
    facts = CardFacts(
        data=session.data.name,
        data_lines=session.data.profile.lines(),
        sentence=record["sentence"],
        validation=best["validation"] or {},
        test=best["test"] or {},
        macs=best["macs"],
        latency_ms=best["latency_ms"],
        device="this machine, one thread, ONNX Runtime",
        limits=record["limits"],
        caveats=record["notes"],
        seed=record["seed"],
        versions={name: value for name, value in surroundings()["versions"].items() if value is not None},
    )
    write_card(session.folder.best, shipped.deployable, facts, shipped.export)


def dearest(counted: Mapping[str, float], measured: Mapping[str, float]) -> dict[str, float]:
    """Costs as measured on the file; of params and MACs the greater of model and file, for the file folds
    normalisations into other weights and holds the numbers of the pre-processing."""
    both = {name: max(counted[name], measured[name]) for name in ("params", "macs") if name in counted}
    return {**counted, **measured, **both}


def check_limits(limits: Limits, costs: Mapping[str, float]) -> tuple[LimitCheck, ...]:
    """Every limit against the costs of the exported file. A cost that nobody knows is a violation, not a pass."""
    known = {"latency_ms": "measured", "size": "measured"}
    return tuple(
        LimitCheck(name, limit, costs.get(name, float("inf")), known.get(name, "counted"))
        for name, limit in limits.items()
    )
