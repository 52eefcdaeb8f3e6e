"""Values of a need as people write them, and as they are shown."""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from nasturtium.advisor import words
from nasturtium.errors import UserError, hint
from nasturtium.hardware.limits import parse_amount, shown

Parse = Callable[[Any], Any]

ALIASES: Mapping[str, str] = {
    "limit_params": "max_params", "latency": "max_latency_ms", "max_latency": "max_latency_ms", "memory": "max_memory",
    "size": "max_size", "flash": "max_size", "energy": "max_energy_mj", "max_energy": "max_energy_mj",
    "budget": "budget_s", "classes": "outputs", "shape": "input", "license": "licence",
    "interpretability": "interpretable",
}  # fmt: skip
TITLES: Mapping[str, str] = {
    "task": "Task", "modality": "Input", "rows": "Examples", "input": "Shape", "outputs": "Outputs",
    "imbalance": "Imbalance", "noise": "Wrong labels", "device": "Device", "max_params": "Most parameters",
    "max_macs": "Most MACs", "max_latency_ms": "Longest latency", "max_memory": "Most memory",
    "max_size": "Largest file", "max_energy_mj": "Most energy", "min_params": "Fewest parameters",
    "min_score": "Wanted score", "throughput": "Throughput", "budget_s": "Time to train", "hardware": "Trained on",
    "framework": "Served by", "pretrained": "Pretrained weights", "interpretable": "Interpretable",
    "licence": "Licence", "maintained_years": "Maintained",
}  # fmt: skip
COSTS = {"max_params": "params", "min_params": "params", "max_macs": "macs", "max_latency_ms": "latency_ms",
         "max_memory": "memory", "max_size": "size"}  # fmt: skip
SPELLINGS = {"language-modeling": "language-modelling", "language-model": "language-modelling",
             "multilabel": "multi-label",
             "tabular": "table", "images": "image", "time-series": "sequence", "server": "cpu-server"}  # fmt: skip
NONE_WORDS = ("", "none", "no", "unlimited", "null")
YES, NO = ("yes", "y", "true", "1", "allowed", "required"), ("no", "n", "false", "0", "none", "forbidden")


def field_name(name: str, known: tuple[str, ...]) -> str:
    """The field that is meant: hyphens are accepted, and a few other names. Raises `UserError`."""
    key = name.strip().lower().replace("-", "_")
    key = ALIASES.get(key, key)
    if key not in known:
        raise UserError(f"A need has no field {name!r}. {hint(key, (*known, *ALIASES))}")
    return key


def one_of(field: str, known: tuple[str, ...]) -> Parse:
    def parse(value: Any) -> str:
        key = str(value).strip().lower().replace("_", "-").replace(" ", "-")
        key = SPELLINGS.get(key, key)
        if key not in known:
            raise UserError(f"The field {field!r} cannot be {value!r}. {hint(key, known)}")
        return key

    return parse


def device(value: Any) -> str:
    """A class of devices or the name of one; whether a device of the name is known is checked where it is used."""
    key = str(value).strip().lower().replace("_", "-").replace(" ", "-")
    if not key:
        raise UserError(f"The field 'device' is empty. {hint('', words.DEVICES)}")
    return key


def count(field: str) -> Parse:
    def parse(value: Any) -> int:
        number = parse_number(field, value, thousands=True)
        if number < 1 or number != int(number):
            raise UserError(f"The field {field!r} is {value!r}: it must be a whole number, 1 at least.")
        return int(number)

    return parse


def number(field: str, least: float | None) -> Parse:
    def parse(value: Any) -> float | None:
        if value is None or str(value).strip().lower() in NONE_WORDS:
            return None
        found = parse_number(field, value)
        if least is not None and found < least:
            raise UserError(f"The field {field!r} is {value!r}: it must be {least:g} or more.")
        return found

    return parse


def share(field: str) -> Parse:
    def parse(value: Any) -> float:
        text = str(value).strip()
        found = parse_number(field, text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if not 0 <= found < 1:
            raise UserError(f"The field {field!r} is {value!r}: it is a share, 0 or more and below 1 (or 10%).")
        return found

    return parse


def parse_number(field: str, value: Any, thousands: bool = False) -> float:
    """A finite number; `thousands` allows 10k and 1M. Raises `UserError`."""
    text = str(value).strip().lower().replace("_", "").replace(",", "")
    scale = {"k": 1e3, "m": 1e6}.get(text[-1:], 1.0) if thousands else 1.0
    try:
        found = float(text[:-1] if scale != 1.0 else text) * scale
    except ValueError:
        found = float("nan")
    if isinstance(value, bool) or not isfinite(found):
        raise UserError(f"The field {field!r} is {value!r}: it must be a number.")
    return found


def amount(cost: str, field: str = "") -> Parse:
    """A limit as the command line takes it, or none."""

    def parse(value: Any) -> float | None:
        if value is None or str(value).strip().lower() in NONE_WORDS:
            return None
        return parse_amount(cost, value)

    return parse


def energy(value: Any) -> float | None:
    """Millijoules, of "0.5", "0.5mJ" or "300uJ"."""
    if value is None or str(value).strip().lower() in NONE_WORDS:
        return None
    text = str(value).strip().lower()
    for ending, scale in (("uj", 1e-3), ("µj", 1e-3), ("mj", 1.0), ("j", 1e3)):
        if text.endswith(ending):
            return positive("max_energy_mj", parse_number("max_energy_mj", text.removesuffix(ending)) * scale)
    return positive("max_energy_mj", parse_number("max_energy_mj", value))


def positive(field: str, value: float) -> float:
    if value <= 0:
        raise UserError(f"The field {field!r} is {value:g}: it must be above 0.")
    return value


def shape(value: Any) -> tuple[int, ...]:
    """(3, 32, 32) of "3x32x32", "3,32,32", a list, or one number of columns."""
    parts = list(value) if isinstance(value, list | tuple) else str(value).lower().replace("x", ",").split(",")
    try:
        sizes = tuple(int(part) for part in parts)
    except ValueError:
        sizes = ()
    if not 1 <= len(sizes) <= 3 or min(sizes) < 1:
        raise UserError(f"The field 'input' is {value!r}: write channels x height x width as 3x32x32, or 1x128, or 20.")
    return sizes


def yes_no(field: str) -> Parse:
    def parse(value: Any) -> bool:
        text = str(value).strip().lower()
        if text not in YES and text not in NO:
            raise UserError(f"The field {field!r} is {value!r}: write yes or no.")
        return text in YES

    return parse


def shown_value(name: str, value: Any) -> str:
    """A value of a field in words."""
    if value is None:
        return "none"
    if name in COSTS:
        return shown(COSTS[name], value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    units = {"budget_s": " s", "max_energy_mj": " mJ", "throughput": " a second", "maintained_years": " years"}
    if isinstance(value, int | float):
        return f"{value:,.4g}{units.get(name, '')}" if isinstance(value, float) else f"{value:,}"
    return str(value)
