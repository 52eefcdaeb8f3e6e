"""What goes in and what comes out, in words."""

from collections.abc import Mapping
from typing import Any

from nasturtium.task import Task


def input_words(task: Task, encoding: Mapping[str, Any]) -> str:
    """Shape, order and units of the raw input. encoding: the part "input" of the preprocessing."""
    shape = ", ".join(str(side) for side in task.input.tensor_shape)
    axes = f"float32 [rows, {shape}]"
    if task.input.kind == "image":
        channels = task.input.channels
        what = {1: "one grey channel", 3: "red, green and blue"}.get(channels, f"{channels} channels")
        units = "pixels from 0 to 255" if _eight_bit(encoding) else "in the units of the training data"
        return f"{axes}: {what}, height, width; {units}, not standardised (the model does that)."
    if task.input.kind == "sequence":
        return (
            f"{axes}: channels, time steps; in the units of the training data, not standardised (the model does that)."
        )
    if task.input.kind == "table":
        numbers, codes = task.input.shape[0], len(task.input.cardinalities)
        text = f"{axes}: {numbers} numeric column{'s' * (numbers != 1)}, not standardised (the model does that)"
        text += ", NaN = missing" if numbers else ""
        if codes:
            text += f"; then {codes} categorical code{'s' * (codes != 1)}, 0 = missing or unknown"
        return text + "."
    return f"{axes}: in the units of the training data."


def _eight_bit(encoding: Mapping[str, Any]) -> bool:
    return encoding.get("type") == "images" or encoding.get("dtype") == "uint8"


def output_words(task: Task) -> str:
    """Shape and meaning of the raw output."""
    axes = f"float32 [rows, {task.outputs}]"
    if task.kind == "classification":
        return f"{axes}: one score (logit) for each class; softmax makes probabilities of them."
    if task.kind == "multi-label":
        return f"{axes}: one score (logit) for each label; positive means present, sigmoid makes probabilities."
    return f"{axes}: the predicted value{'s' * (task.outputs > 1)}, in the unit of the training data."
