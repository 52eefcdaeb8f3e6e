"""The stand-alone evaluator: every subject is trained alone, from its own initial weights."""

from dataclasses import dataclass, replace
from pathlib import Path

from nasturtium.blocks import Expr
from nasturtium.classical import Classical
from nasturtium.data import Development
from nasturtium.evaluators.classical import fit_classical
from nasturtium.evaluators.network import Rows, train_network
from nasturtium.evaluators.subjects import lowered
from nasturtium.roles import Job, OpenEvaluator, Outcome, Report
from nasturtium.training import Recipe, set_threads


@dataclass(frozen=True)
class Standalone:
    """Trains networks by `recipe` and fits simple models; scores them on the rows that the job's fold says.

    folder: of the saved `Development` data; each worker opens it once. device: "cpu", "cuda", "auto".
    latency_limit_ms: networks slower than this in ONNX Runtime on this machine are rejected before training; measured
        too, without rejecting, where `measure_latency` is on.
    """

    folder: str
    recipe: Recipe
    device: str = "cpu"
    latency_limit_ms: float | None = None
    measure_latency: bool = False

    def open(self) -> OpenEvaluator:
        set_threads(1)
        return _Opened(self, Development.open(Path(self.folder)))


class _Opened:
    """The data in one worker, and the rows of the last fold: neighbouring jobs share theirs."""

    def __init__(self, spec: Standalone, data: Development) -> None:
        self._spec, self._data = spec, data
        self._last: tuple[str, Rows] | None = None

    def __call__(self, job: Job, report: Report) -> Outcome:
        task, rows = self._data.task, self._rows(job.fold)
        if isinstance(job.subject, Classical):
            return fit_classical(job, task, rows)
        expr = lowered(job.subject, task)
        measured = self._latency(job, expr)
        limit = self._spec.latency_limit_ms if job.parent is None else None
        if limit is not None and measured and measured["latency_ms"] > limit:
            return Outcome(measured, failure=f"over the latency limit of {limit:g} ms")
        outcome = train_network(job, expr, task, rows, self._spec.recipe, self._spec.device, report)
        return replace(outcome, measures={**outcome.measures, **measured})

    def _latency(self, job: Job, expr: Expr) -> dict[str, float]:
        """Of trials and known networks. A continued trial was within the limit, but has to say what it is ranked by."""
        wanted = self._spec.measure_latency or self._spec.latency_limit_ms is not None
        if not wanted or job.fold != "search":
            return {}
        from nasturtium.evaluators.latency import latency_of

        return {"latency_ms": latency_of(expr, self._data.task)}

    def _rows(self, fold: str) -> Rows:
        if self._last is None or self._last[0] != fold:
            self._last = (fold, Rows.of(self._data, *self._data.fold(fold)))
        return self._last[1]
