"""`MODEL_CARD.md`: what the model is, how good, within which limits, and how to run it."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nasturtium.export._check import Agreement
from nasturtium.export.deployable import Deployable
from nasturtium.export.words import input_words, output_words
from nasturtium.task import Task


@dataclass(frozen=True)
class CardFacts:
    """What the card says beyond the model itself. Whatever is left empty is left out.

    data: name of the data set. data_lines: the profile, a line each. sentence: the verdict.
    validation: {"metric", "mean"}; test: {"metric", "mean", "low", "high", "per_seed"}, both as in result.json.
    macs: multiply-accumulates of one row. latency_ms: {"p50", "p95"}, and where it was measured in `device`.
    limits: as in result.json. caveats: sentences. seed: of the run. versions: library to version.
    """

    data: str = ""
    data_lines: Sequence[str] = ()
    sentence: str = ""
    validation: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)
    macs: int | None = None
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    device: str = ""
    limits: Sequence[Mapping[str, Any]] = ()
    caveats: Sequence[str] = ()
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


def summary(deployable: Deployable, data: str = "") -> str:
    """One sentence: what the model is and what it does."""
    task = deployable.task
    trained = f", trained on {data}" if data else ""
    return f"The model {deployable.name!r} ({deployable.params:,} parameters) {_does(task)}{trained}."


def _does(task: Task) -> str:
    what = {"image": "an image", "sequence": "a sequence", "table": "a row of a table", "vector": "a row of numbers"}
    seen = what[task.input.kind]
    if task.kind == "classification":
        return f"tells which of {task.outputs} classes {seen} belongs to"
    if task.kind == "multi-label":
        return f"tells which of {task.outputs} labels {seen} has"
    return f"predicts {'a value' if task.outputs == 1 else f'{task.outputs} values'} from {seen}"


def card(
    deployable: Deployable,
    encoding: Mapping[str, Any],
    facts: CardFacts,
    checks: Sequence[Agreement],
    notices: Sequence[str],
    stands_alone: bool,
) -> str:
    """Text of the card. encoding: the part "input" of the preprocessing. checks: files against the trained model."""
    task = deployable.task
    parts = [
        f"# {deployable.name}\n\n{summary(deployable, facts.data)}",
        facts.sentence,
        _section("Data", _bullets(facts.data_lines)),
        _section("How good", "\n".join(_scores(task, facts))),
        _section("Size and speed", _bullets(_costs(deployable, facts))),
        _section("Limits", _limits(facts.limits)),
        _section("What goes in, what comes out", _bullets(_signals(task, encoding))),
        _section("How to run it", _running(task, encoding, stands_alone)),
        _section("Files checked against the trained model", _bullets(_checked(task, checks))),
        _section("Caveats", _bullets([*facts.caveats, *notices, *_standing_caveats(task)])),
        _section("How it was made", _bullets(_made(facts))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines if line)


def _scores(task: Task, facts: CardFacts) -> list[str]:
    rows = []
    if facts.test.get("mean") is not None:
        seeds = facts.test.get("per_seed") or ()
        spread = (
            f" (95 % interval {_number(facts.test['low'])} to {_number(facts.test['high'])})"
            if "low" in facts.test
            else ""
        )
        repeats = f", mean of {len(seeds)} trainings" if len(seeds) > 1 else ""
        rows.append(
            f"- Test rows: {facts.test.get('metric', task.metric)} {_number(facts.test['mean'])}{spread}{repeats}. "
            "These rows were opened once, after every choice had been made."
        )
    if facts.validation.get("mean") is not None:
        metric = facts.validation.get("metric", task.metric)
        rows.append(
            f"- Validation rows: {metric} {_number(facts.validation['mean'])}. "
            "Choices were made on these rows, so this figure flatters."
        )
    return rows


def _number(value: float) -> str:
    return f"{value:.4g}"


def _costs(deployable: Deployable, facts: CardFacts) -> list[str]:
    lines = [f"{deployable.params:,} parameters"]
    if facts.macs is not None:
        lines.append(f"{facts.macs:,} multiply-accumulates for one row")
    if facts.latency_ms:
        p95 = f", p95 {_number(facts.latency_ms['p95'])} ms" if "p95" in facts.latency_ms else ""
        where = f" ({facts.device})" if facts.device else ""
        lines.append(f"latency of one row: p50 {_number(facts.latency_ms['p50'])} ms{p95}{where}")
    return lines


def _limits(limits: Sequence[Mapping[str, Any]]) -> str:
    if not limits:
        return ""
    rows = [
        f"| {each['name']} | {_amount(each['limit'])} | {_amount(each['value'])} | {each.get('known', '')} "
        f"| {'yes' if each.get('ok') else '**no**'} |"
        for each in limits
    ]
    return "\n".join(["| cost | limit | value | how known | met |", "|---|---|---|---|---|", *rows])


def _amount(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else _number(value)


def _signals(task: Task, encoding: Mapping[str, Any]) -> list[str]:
    lines = [f"In: {input_words(task, encoding)}", f"Out: {output_words(task)}"]
    if encoding.get("type") == "images":
        colour = "grey" if encoding["channels"] == 1 else "colour"
        lines.append(
            f"Images are read as {colour} and brought to {encoding['height']} x {encoding['width']} pixels first."
        )
    if encoding.get("type") == "table":
        numbers, categories = encoding["numbers"], [each["name"] for each in encoding["categories"]]
        if numbers:
            lines.append(f"Numeric columns, in this order: {_listed(numbers)}.")
        if categories:
            lines.append(
                f"Categorical columns, in this order: {_listed(categories)}. A value becomes its place in the list of "
                "`preprocessing.json`, counted from 1; a missing or unknown one becomes 0."
            )
    if task.classes:
        lines.append(
            f"{'Labels' if task.kind == 'multi-label' else 'Classes'}, in this order: {_listed(task.classes)}."
        )
    return lines


def _listed(names: Sequence[str], most: int = 40) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown + (f" … ({len(names)} in all, see `preprocessing.json`)" if len(names) > most else "")


def _running(task: Task, encoding: Mapping[str, Any], stands_alone: bool) -> str:
    shape = ", ".join(map(str, task.input.tensor_shape))
    after = {
        "classification": "classes = scores.argmax(1)",
        "multi-label": "present = scores > 0",
        "regression": "values = scores",
    }[task.kind]
    onnx = textwrap.dedent(f"""\
        With ONNX Runtime (`pip install onnxruntime`); pre-processing is inside the file:

        ```python
        import numpy as np
        import onnxruntime

        session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
        rows = np.zeros((1, {shape}), dtype=np.float32)  # your rows
        (scores,) = session.run(None, {{session.get_inputs()[0].name: rows}})
        {after}
        ```""")
    if not stands_alone:
        return onnx
    example = "rows"
    if encoding.get("type") == "table":
        names = [*encoding["numbers"], *(each["name"] for each in encoding["categories"])]
        example = f"[{{{', '.join(f'{name!r}: ...' for name in names[:3])}{', ...' if len(names) > 3 else ''}}}]"
    return onnx + textwrap.dedent(f"""

        With PyTorch (`model.py` and `weights.safetensors` side by side, nothing else needed):

        ```python
        from model import load, predict

        model = load()
        predict({example}, model)
        ```""")


def _checked(task: Task, checks: Sequence[Agreement]) -> list[str]:
    unit = "values within tolerance" if task.kind == "regression" else "same answer"
    return [
        f"`{each.file}`: largest difference {each.max_difference:.1e} on {each.rows} real rows, "
        f"{unit} on {100 * each.agreement:.4g} %."
        for each in checks
    ]


def _standing_caveats(task: Task) -> list[str]:
    lines = ["The figures hold for rows like those of the data set; nothing is known of others."]
    if task.kind != "regression":
        lines.append("Probabilities were not calibrated.")
    return lines


def _made(facts: CardFacts) -> list[str]:
    lines = [f"Seed {facts.seed}." if facts.seed is not None else ""]
    if facts.versions:
        lines.append("Versions: " + ", ".join(f"{name} {version}" for name, version in facts.versions.items()) + ".")
    return lines
