"""From the choice to the files: retrain, export, measure the limits again, and only then open the test set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nasturtium.evaluators import model_call, restore
from nasturtium.export import CardFacts, Deployable, ExportReport, write_best
from nasturtium.hardware import Limits, measure_file
from nasturtium.protocol import Contender, final_checkpoints, final_jobs
from nasturtium.space import Architecture
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
    """What is in `best/`. checkpoints: of each contender, seed by seed. refused: who was exported first and was over a
    limit on the file."""

    contender: Contender
    export: ExportReport
    measured: Mapping[str, float]
    limits: tuple[LimitCheck, ...]
    refused: tuple[tuple[Contender, tuple[LimitCheck, ...]], ...] = ()


def retrain(session: Session, contenders: Sequence[Contender], deadline_s: float | None) -> dict[str, list[str]]:
    """Train each contender on every development row, several seeds; checkpoints by name."""
    folder = session.folder.checkpoints
    jobs = [job for one in contenders for job in final_jobs(one, session.seed, folder, deadline_s)]
    outcomes = session.run(jobs)
    return {contender.name: final_checkpoints(contender, outcomes) for contender in contenders}


def ship(session: Session, order: Sequence[Contender], checkpoints: Mapping[str, list[str]]) -> Shipped | None:
    """Export the first of `order` whose file meets every limit; None if none does."""
    refused: list[tuple[Contender, tuple[LimitCheck, ...]]] = []
    for contender in order:
        if not checkpoints.get(contender.name):
            continue
        report = export(session, contender, checkpoints[contender.name][0])
        measured = measure_file(session.folder.best / "model.onnx", session.task.input)
        checks = check_limits(session.limits, {**contender.measures, **measured})
        if all(check.ok for check in checks):
            return Shipped(contender, report, measured, checks, tuple(refused))
        refused.append((contender, checks))
        over = ", ".join(check.name for check in checks if not check.ok)
        session.remark(f"{contender.name} is over the limit on {over} in its exported file; the next one is taken.")
    return None


def export(session: Session, contender: Contender, checkpoint: str) -> ExportReport:
    """Write `best/` for one trained contender, checked against the trained model on development rows."""
    model = restore(contender.subject, session.task, checkpoint)
    call = model_call(contender.subject, session.task, checkpoint)
    deployable = Deployable(contender.name, session.task, call, model.state_dict())
    subject = contender.subject
    return write_best(
        session.folder.best,
        deployable,
        session.data.preprocessing.to_json(),
        subject.to_json() if isinstance(subject, Architecture) else None,
        session.data.development.inputs[:CHECK_ROWS],
        CardFacts(data=session.data.name),
    )


def check_limits(limits: Limits, costs: Mapping[str, float]) -> tuple[LimitCheck, ...]:
    """Every limit against the costs of the exported file. A cost that nobody knows is a violation, not a pass."""
    known = {"latency_ms": "measured", "size": "measured"}
    return tuple(
        LimitCheck(name, limit, costs.get(name, float("inf")), known.get(name, "counted"))
        for name, limit in limits.items()
    )
