"""What each field of a need means: how it is written, what is assumed of it, what a user might answer, how it is asked.

The weights of the answers are our judgement of how common they are; they decide only in which order questions come.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nasturtium.advisor import parsing, words
from nasturtium.advisor.facts import Fact
from nasturtium.advisor.requirements import FIELDS, Requirements

Answers = tuple[tuple[Any, float], ...]
"""Values with how common they are, roughly."""


@dataclass(frozen=True)
class Field:
    """parse: what people write -> value; raises `UserError`. default: what is assumed, given the fields before it.
    answers: what else a user might plausibly say. question, reason: as they are asked."""

    name: str
    parse: Callable[[Any], Any]
    default: Callable[[Requirements], Any]
    answers: Callable[[Requirements], Answers]
    question: str
    reason: str

    def show(self, value: Any) -> str:
        return parsing.shown_value(self.name, value)


def _always(value: Any) -> Callable[[Requirements], Any]:
    return lambda need: value


def _even(values: tuple[Any, ...]) -> Answers:
    return tuple((value, 1.0) for value in values)


def _default_task(need: Requirements) -> str:
    modality = need.get("modality")
    return "language-modelling" if modality == "text" else "classification"


def _default_modality(need: Requirements) -> str:
    """Of the task where that decides, else by the shape of one example."""
    if need.get("task") not in words.TRAINABLE_TASKS:
        return words.MODALITIES_OF[need.get("task")][0]
    return {3: "image", 2: "sequence"}.get(len(need.get("input") or ()), "table")


def _modalities(need: Requirements) -> Answers:
    return _even(words.MODALITIES_OF[need.get("task")])


def _tasks(need: Requirements) -> Answers:
    modality = need.get("modality") if need.known("modality") else None
    return _even(tuple(task for task in words.TASKS if modality is None or modality in words.MODALITIES_OF[task]))


def _inputs(need: Requirements) -> Answers:
    by_modality: Mapping[str, tuple[tuple[int, ...], ...]] = {
        "image": ((1, 28, 28), (3, 32, 32), (3, 224, 224)),
        "sequence": ((1, 128), (9, 128), (1, 1000)),
        "table": ((8,), (100,), (1000,)),
        "audio": ((1, 49, 10), (1, 98, 40)),
    }
    return _even(by_modality.get(need.get("modality"), ()))


def _default_outputs(need: Requirements) -> int:
    task = need.get("task")
    return 1 if task in ("regression", "forecasting") else 10


def _outputs(need: Requirements) -> Answers:
    return () if need.get("task") in ("regression", "forecasting") else ((2, 1.0), (10, 1.0), (100, 0.5))


def _imbalances(need: Requirements) -> Answers:
    return ((1.0, 1.0), (20.0, 0.5)) if need.get("task") in ("classification", "multi-label") else ()


def _limit(*amounts: float, share: float = 0.3) -> Callable[[Requirements], Answers]:
    """Mostly none; or, in a share of the cases, one of these amounts."""
    return lambda need: ((None, 1 - share), *((amount, share / len(amounts)) for amount in amounts))


SPECS: tuple[Field, ...] = (
    Field(
        "task", parsing.one_of("task", words.TASKS), _default_task, _tasks,
        "What is to be learned: " + ", ".join(words.TASKS) + "?",
        "Every architecture, baseline and figure depends on it.",
    ),
    Field(
        "modality", parsing.one_of("modality", words.MODALITIES), _default_modality, _modalities,
        "What does one example look like: " + ", ".join(words.MODALITIES) + "?",
        "It decides the family of networks: convolutions for images and series, dense ones for tables.",
    ),
    Field(
        "rows", parsing.count("rows"), _always(10_000),
        _always(((100, 1.0), (1_000, 1.0), (10_000, 1.0), (1_000_000, 1.0))),
        "How many labelled examples are there?",
        "With few, simple models win and a search cannot tell networks apart; with many, larger networks pay.",
    ),
    Field(
        "input", parsing.shape, lambda need: words.TYPICAL_INPUT[need.get("modality")], _inputs,
        "What shape has one example (channels, height, width; channels, length; or columns)?",
        "MACs and memory grow with it, so it decides which networks fit the device.",
    ),
    Field(
        "outputs", parsing.count("outputs"), _default_outputs, _outputs,
        "How many classes, labels or targets are there?",
        "Small networks spend much of their parameters on the last layer.",
    ),
    Field(
        "imbalance", parsing.number("imbalance", 1.0), _always(1.0), _imbalances,
        "How many times commoner is the commonest class than the rarest?",
        "Under imbalance accuracy misleads, and the metric that is searched for should change.",
    ),
    Field(
        "noise", parsing.share("noise"), _always(0.0), _always(((0.0, 2.0), (0.1, 1.0))),
        "What share of the labels is wrong, about?",
        "Noisy labels ask for a robust recipe, and make small gains of a search unreal.",
    ),
    Field(
        "device", parsing.device, _always("laptop"),
        _always((("microcontroller", 1.0), ("single-board", 0.7), ("phone", 1.0), ("laptop", 0.7), ("cpu-server", 1.0),
                 ("gpu", 0.7))),
        "Where will the network run: " + ", ".join(words.DEVICES) + ", or a device by name?",
        "Its memory and speed bound the size of every network that is proposed.",
    ),
    Field(
        "max_params", parsing.amount("params"), _always(None), _limit(10e3, 100e3, 1e6),
        "Is there a limit on parameters?", "It bounds the size of every network that is proposed.",
    ),
    Field(
        "max_macs", parsing.amount("macs"), _always(None), _limit(1e6, 10e6, share=0.15),
        "Is there a limit on multiply-accumulates of one prediction?", "It bounds depth, width and resolution.",
    ),
    Field(
        "max_latency_ms", parsing.amount("latency_ms"), _always(None), _limit(1.0, 10.0),
        "How long may one prediction take?", "It bounds the work of one prediction on the device.",
    ),
    Field(
        "max_memory", parsing.amount("memory"), _always(None), _limit(64e3, 1e6),
        "How much memory may one prediction take?", "It bounds width and resolution of the early layers.",
    ),
    Field(
        "max_size", parsing.amount("size"), _always(None), _limit(100e3, 1e6),
        "How large may the file of the network be?", "It bounds parameters: about four bytes each.",
    ),
    Field(
        "max_energy_mj", parsing.energy, _always(None), _limit(0.1, share=0.05),
        "How much energy may one prediction take (mJ)?", "It bounds the work of one prediction on the device.",
    ),
    Field(
        "min_params", parsing.amount("params", "min_params"), _always(None), _always(()),
        "Must the network have a least number of parameters?", "It rules out smaller networks.",
    ),
    Field(
        "min_score", parsing.number("min_score", None), _always(None), _always(()),
        "What score must be reached?", "It says when to stop.",
    ),
    Field(
        "throughput", parsing.number("throughput", 0.0), _always(None), _limit(1000.0, share=0.1),
        "How many predictions a second are needed?", "It bounds the work of one prediction on the device.",
    ),
    Field(
        "budget_s", parsing.number("budget_s", 0.0), _always(600.0),
        _always(((60.0, 0.5), (600.0, 1.0), (36_000.0, 1.0))),
        "How long may training and searching take?",
        "It decides whether a search can pay, and how large networks may be.",
    ),
    Field(
        "hardware", parsing.one_of("hardware", words.HARDWARE), _always("cpu"), _always((("cpu", 1.0), ("gpu", 1.0))),
        "What will it be trained on: cpu or gpu?", "It decides how large a search the time allows.",
    ),
    Field(
        "framework", parsing.one_of("framework", words.FRAMEWORKS), _always("any"),
        _always((("any", 2.0), ("tflite", 0.5), ("coreml", 0.5))),
        "Which framework will serve it: " + ", ".join(words.FRAMEWORKS) + "?", "It decides the file that is exported.",
    ),
    Field(
        "pretrained", parsing.yes_no("pretrained"), _always(True), _always(((True, 1.0), (False, 0.5))),
        "May published pretrained weights be used?",
        "Where they exist, fine-tuning beats any search on little data.",
    ),
    Field(
        "interpretable", parsing.yes_no("interpretable"), _always(False), _always(((False, 2.0), (True, 0.5))),
        "Must a person be able to follow each decision of the model?",
        "Then a linear model or a small tree comes before any network.",
    ),
    Field(
        "licence", parsing.one_of("licence", words.LICENCES), _always("any"),
        _always((("any", 2.0), ("permissive", 0.5))),
        "Must everything that is used have a permissive licence?",
        "Many pretrained weights and some implementations may not be used commercially.",
    ),
    Field(
        "maintained_years", parsing.number("maintained_years", 0.0), _always(2.0), _always(((2.0, 1.0), (10.0, 0.5))),
        "For how many years must it be maintained?", "Long lives favour plain networks and a stable file format.",
    ),
)  # fmt: skip
"""In the order of `Requirements`: a default may look at the fields before it."""

BY_NAME: Mapping[str, Field] = {spec.name: spec for spec in SPECS}
assert tuple(BY_NAME) == FIELDS


def completed(need: Requirements) -> Requirements:
    """Every unknown field with its default, as an assumption."""
    for spec in SPECS:
        if need.fact(spec.name) is None:
            need = need.having(spec.name, spec.default(need), "assumed", "the usual case")
    return need


def given(values: Mapping[str, Any], where: str) -> Requirements:
    """Requirements from what people write, by field. Raises `UserError` for unknown fields and values."""
    need = Requirements()
    for name, value in values.items():
        key = parsing.field_name(name, tuple(BY_NAME))
        need = need.having(key, BY_NAME[key].parse(value), "given", where)
    return need


def fact_shown(name: str, fact: Fact[Any]) -> str:
    """`device: microcontroller (given, --device)`."""
    where = f", {fact.where}" if fact.where else ""
    return f"{parsing.TITLES[name]}: {BY_NAME[name].show(fact.value)} ({fact.origin}{where})"
