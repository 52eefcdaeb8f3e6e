"""The content of `result.json`, schema 1: what a run found, in a form that other programs may rely on.

Scores are in the metric's own unit (accuracy and its kin as fractions). Keys may be added within a schema; readers must
ignore those that they do not know. A schema number is raised when a key changes its meaning or goes away.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nasturtium.errors import RunError

SCHEMA = 1


class _Part(BaseModel):
    """Unknown keys are kept: a later minor version may have written them."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, frozen=True)


class Score(_Part):
    """A score on some rows."""

    metric: str | None = Field(None, description="Name of the metric.")
    mean: float | None = Field(None, description="The score; over several seeds, their mean. null where unknown.")
    low: float | None = Field(None, description="Lower end of the 95 % interval, over seeds and test rows.")
    high: float | None = Field(None, description="Upper end of the 95 % interval.")
    per_seed: list[float] = Field(default_factory=list, description="The score of each seed's training.")
    rows: int | None = Field(None, description="How many rows were scored.")


class Latency(_Part):
    """Time to predict one row."""

    p50: float = Field(description="Median, in ms.")
    p95: float | None = Field(None, description="95th percentile, in ms.")


class Model(_Part):
    """A model: what it costs and how good it is."""

    name: str = Field(description="What people call it.")
    arch_id: str | None = Field(None, description="Identity of the architecture; null for simple models.")
    params: int | None = Field(None, description="Stored parameters.")
    macs: int | None = Field(None, description="Multiply-accumulates of one row (convolution, linear, matmul).")
    memory: int | None = Field(None, description="Peak memory of the activations of one row, in bytes.")
    size: int | None = Field(None, description="Bytes of the exported ONNX file.")
    latency_ms: Latency | None = Field(None, description="Measured on the exported file, one row, one thread.")
    validation: Score | None = Field(None, description="On the rows by which choices were made: flattering.")
    test: Score | None = Field(None, description="On the sealed rows, opened once after every choice.")


class Baseline(Model):
    """A model that was fitted without a search."""

    over: list[str] = Field(default_factory=list, description="Costs that are over a limit; such a model never ships.")
    failure: str | None = Field(None, description="Why it could not be trained, in a few words.")
    seconds: float | None = Field(None, description="Time to fit it.")


class Control(_Part):
    """What random search alone would have found at equal cost."""

    name: str = Field("random", description="Name of the control.")
    metric: str | None = Field(None, description="Name of the metric.")
    expected: float | None = Field(None, description="Expected best validation score.")
    low: float | None = Field(None, description="Lower end of the interval of the best score.")
    high: float | None = Field(None, description="Upper end of the interval of the best score.")


class Limit(_Part):
    """A hard bound, checked again on the exported file."""

    name: str = Field(description="The cost: params, macs, latency_ms, memory or size.")
    limit: float = Field(description="The bound, in parameters, multiply-accumulates, ms or bytes.")
    value: float | None = Field(description="The cost of what ships. null where it is unknown.")
    known: str = Field("counted", description='How it is known: "counted", "predicted" or "measured".')
    ok: bool = Field(description="Is the bound met?")
    origin: str = Field("given", description='"given" by the user, or "derived" from the device.')
    reason: str | None = Field(None, description="Of a derived one: the figure of the device, and its source.")


class Comparison(_Part):
    """What was found against the strongest baseline, on fresh resplits."""

    network: str | None = Field(None, description="Name of the searched network.")
    against: str = Field(description="Name of the baseline.")
    difference: float | None = Field(None, description="Mean gain of the searched network; positive is better.")
    low: float | None = Field(None, description="Lower end of the 95 % interval.")
    high: float | None = Field(None, description="Upper end of the 95 % interval.")
    p_value: float | None = Field(None, description="Chance of such a difference if there were none.")
    p_better: float | None = Field(None, description="One-sided: chance of such a gain if there were none.")
    test: str | None = Field(None, description="Name of the test.")


class TestComparison(_Part):
    """Two models on the sealed rows: for reporting, after the choice."""

    __test__ = False  # not a test, whatever its name begins with

    first: str = Field(description="Name of what ships.")
    second: str = Field(description="Name of what it is compared with.")
    difference: float | None = Field(None, description="Score of the first minus score of the second.")
    low: float | None = Field(None, description="Lower end of the 95 % interval.")
    high: float | None = Field(None, description="Upper end of the 95 % interval.")
    p_value: float | None = Field(None, description="Two-sided: chance of such a difference if there were none.")
    test: str | None = Field(None, description="Name of the test.")


class Finalist(_Part):
    """A model that was trained again on fresh resplits of train and validation."""

    name: str = Field(description="What people call it.")
    role: str = Field("", description='"found", "baseline" or "random".')
    scores: list[float | None] = Field(default_factory=list, description="Score on each resplit; null where it failed.")
    violations: list[str] = Field(default_factory=list, description="Limits that it breaks, so that it cannot ship.")


class FrontMember(_Part):
    """A network of the search that no other beats in every objective, by its scores in the search."""

    trial: int = Field(description="Number of its trial.")
    arch_id: str | None = Field(None, description="Identity of the architecture.")
    scores: dict[str, float] = Field(description="Each objective, the metric first.")
    architecture: dict[str, Any] = Field(default_factory=dict, description="The architecture itself.")


class PredictorFacts(_Part):
    """How well a score that is known before training ranks the trials by what they scored after it."""

    name: str = Field(description="Name of the cost, proxy or predictor.")
    kind: Literal["cost", "proxy", "predictor"] = Field(
        description='"cost" is counted, "proxy" is of the untrained network, "predictor" learnt from other trials.'
    )
    n: int = Field(description="Trials that it was worked out for.")
    spearman: float | None = Field(None, description="Spearman's rank correlation with the trials' goodness.")
    low: float | None = Field(None, description="Lower end of its 95 % interval.")
    high: float | None = Field(None, description="Upper end of the interval.")
    useful: bool = Field(False, description="Does it rank better than params and MACs in 9 of 10 bootstrap samples?")
    seconds: float | None = Field(None, description="Time to work it out for the n trials, alone.")


class Audit(_Part):
    """How the predictors were judged."""

    trials: int = Field(0, description="Fully trained trials that were looked at; 0 where they were too few.")
    rows: int | None = Field(None, description="Training rows that the proxies saw.")
    seconds: float | None = Field(None, description="Time of it all; passes are shared, so less than the sum.")
    sentence: str | None = Field(None, description="What it means, in plain words.")
    left_out: dict[str, str] = Field(default_factory=dict, description="Proxies and predictors left out, and why.")


class SearchFacts(_Part):
    """What the search did."""

    trials: int = Field(0, description="Trials started.")
    scored: int = Field(0, description="Trials that gave a score.")
    random: int = Field(0, description="Trials of the random control.")
    failures: dict[str, int] = Field(default_factory=dict, description="Failed trials by reason.")
    best_trial: int | None = Field(None, description="Number of the trial with the best validation score.")
    worker_seconds: float | None = Field(None, description="Time in the workers, all together.")
    front: list[FrontMember] = Field(
        default_factory=list, description="The Pareto front, best score first; empty with one objective."
    )
    space: str | None = Field(None, description="Name of the space.")
    space_size: str | None = Field(None, description="Number of its architectures; null if a real number is open.")
    strategy: str | None = Field(None, description="Name of the strategy.")
    scheduler: str | None = Field(None, description="Name of the scheduler.")
    interrupted: bool = Field(False, description="Was it ended by hand?")
    reasons: list[str] = Field(default_factory=list, description="Why this space, strategy and scheduler; sentences.")
    predictors: list[PredictorFacts] = Field(
        default_factory=list, description="What ranks the trials before training, best first; empty with few trials."
    )
    audit: Audit | None = Field(None, description="How these predictors were judged.")


class Check(_Part):
    """An exported file against the trained model, on real rows."""

    file: str = Field(description="Name of the file.")
    rows: int = Field(description="How many rows.")
    max_difference: float = Field(description="Largest absolute difference of any score.")
    agreement: float = Field(description="Share of rows with the same answer.")


class ExportFacts(_Part):
    """What was written."""

    checks: list[Check] = Field(default_factory=list, description="Each file against the trained model.")
    sizes: dict[str, int] = Field(default_factory=dict, description="Bytes by file name.")


class RunResult(_Part):
    """The whole of result.json."""

    schema_number: int = Field(SCHEMA, alias="schema", description="Version of this layout.")
    verdict: Literal["search", "baseline"] = Field(description="What ships: a searched network, or a baseline.")
    sentence: str = Field(description="The verdict in plain words.")
    seed: int = Field(description="Seed of the run.")
    trials: int = Field(description="Trials started.")
    seconds: float = Field(description="Duration of the whole run.")
    search_seconds: float | None = Field(None, description="Duration of the search alone.")
    best: Model = Field(description="What ships.")
    found: Model | None = Field(None, description="The best searched network, shipped or not; null if there is none.")
    baselines: list[Baseline] = Field(default_factory=list, description="Every model that was tried without a search.")
    control: Control | None = Field(None, description="The random control; null if no random trial was scored.")
    limits: list[Limit] = Field(default_factory=list, description="Every limit that was set.")
    comparison: Comparison | None = Field(None, description="The searched network against the best baseline.")
    test_comparison: TestComparison | None = Field(None, description="The same on the sealed rows, after the choice.")
    finalists: list[Finalist] = Field(default_factory=list, description="Models compared on fresh resplits.")
    search: SearchFacts | None = Field(None, description="What the search did.")
    export: ExportFacts | None = Field(None, description="The files against the trained model.")
    test_openings: list[str] = Field(default_factory=list, description="Why the test set was opened, each time.")
    notes: list[str] = Field(default_factory=list, description="Assumptions and warnings, a sentence each.")
    files: dict[str, str] = Field(default_factory=dict, description="Paths in the run directory by kind.")


def read_result(path: Path) -> RunResult:
    """The content of a `result.json`, checked. Raises `RunError` if it is missing, damaged or of a newer schema."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(
            f"The result {str(path)!r} cannot be read: {error.strerror or error}. Did the run end?"
        ) from error
    except ValueError as error:
        raise RunError(f"The result {str(path)!r} is no JSON: {error}.") from error
    return check_result(content, str(path))


def check_result(content: Any, where: str = "The result") -> RunResult:
    """The same for a dictionary at hand. where: its name in errors."""
    found = content.get("schema") if isinstance(content, Mapping) else None
    if not isinstance(found, int):
        raise RunError(f"{where} is not the result of a run: it names no schema.")
    if found > SCHEMA:
        raise RunError(
            f"{where} comes from a run of a newer Nasturtium (schema {found}; this one reads up to {SCHEMA}). "
            "Update with: pip install --upgrade nasturtium"
        )
    try:
        return RunResult.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise RunError(f"{where} is damaged at {place!r}: {first['msg']}.") from error


def schema_docs() -> str:
    """The fields of every part, as Markdown tables: generated, so that it cannot go stale."""
    parts = (
        *(RunResult, Model, Score, Latency, Baseline, Control, Limit, Comparison, TestComparison, Finalist),
        *(SearchFacts, FrontMember, PredictorFacts, Audit, ExportFacts, Check),
    )
    return "\n\n".join(_table(part) for part in parts) + "\n"


def _table(part: type[_Part]) -> str:
    own = part.__annotations__ if part is Baseline else part.model_fields
    rows = [
        f"| `{part.model_fields[name].alias or name}` | {_type(part.model_fields[name].annotation)} "
        f"| {part.model_fields[name].description} |"
        for name in own
    ]
    more = " It has every field of `Model`, and these." if part is Baseline else ""
    head = ["| key | type | meaning |", "|---|---|---|"]
    return "\n".join([f"### {part.__name__}", "", f"{part.__doc__}{more}", "", *head, *rows])


def _type(annotation: Any) -> str:
    text = (
        annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    )
    text = text.replace("typing.", "").replace(f"{__name__}.", "").replace("NoneType", "None")
    return text.replace("None", "null").replace(" | ", " or ").replace("|", "or")
