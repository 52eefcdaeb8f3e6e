"""From a need, with data or without, to a plan with reasons."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nasturtium.advisor import (
    BY_NAME,
    Plan,
    Question,
    Requirements,
    answered,
    check_possible,
    decide,
    questions,
)
from nasturtium.advisor.words import TRAINABLE_TASKS
from nasturtium.errors import UserError
from nasturtium.workflows.folder import write_json
from nasturtium.workflows.needs import NeedOptions, differences, gather, measured
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.preparation import Prepared, choose_recipe, prepare_data
from nasturtium.workflows.progress import Progress, Silent
from nasturtium.workflows.starting import with_starts

Ask = Callable[[Question], str | None]
"""Puts a question to the user; None or "" takes the default."""
MOST_ASKED = 5
DATA_OPTIONS = ("target", "group", "time", "split", "drop", "metric", "image_size", "seed")


@dataclass(frozen=True)
class AdviseOptions:
    """source: as of `search`; None where the need is only described. data: the options of `DATA_OPTIONS`.
    need: everything that was said of it. pilot: train a few networks for some seconds, to measure time and spread."""

    source: Any = None
    data: Mapping[str, Any] = field(default_factory=dict)
    need: NeedOptions = field(default_factory=NeedOptions)
    pilot: bool = True
    output: str | None = None


def advise(options: AdviseOptions, progress: Progress | None = None, ask: Ask | None = None) -> Plan:
    """The plan. ask: None never asks, and every unknown field takes its default.

    Raises `LimitError` where no plan can exist, and `UserError` for a need that cannot be understood.
    """
    shown = progress or Silent()
    said = gather(options.need)
    if options.source is None and not any(fact.known for _, fact in said.items()):
        raise UserError(
            "There is nothing to advise on. Give a SOURCE of data, or describe the need: --requirements FILE."
        )
    prepared, need, notes = _with_data(options, said, shown)
    task = None if prepared is None else prepared.task
    need = need if ask is None else _asked(need, task, ask)
    plan = decide(need, task)
    check_possible(plan)
    plan = replace(plan.asking(questions(need, task)), remarks=(*notes, *plan.remarks))
    plan = replace(plan, source=None if options.source is None else str(options.source), options=_facts(options, need))
    if prepared is not None and plan.trains:
        given = search_options(options, need)
        recipe = choose_recipe(given, prepared)
        plan = replace(with_starts(plan, prepared, given.seed), recipe=asdict(recipe))
        if options.pilot:
            from nasturtium.workflows.judging import with_pilot  # brings everything that trains and searches

            plan = with_pilot(plan, given, prepared, recipe, shown)
    plan = replace(plan, search=replace(plan.search, command=_command(options, plan)))
    if options.output is not None:
        save(plan, options.output)
    return plan


def save(plan: Plan, path: str) -> None:
    """Write the plan as JSON. Raises `UserError` where that cannot be done."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_json(Path(path), plan.to_json())
    except OSError as error:
        raise UserError(f"The plan cannot be written to {path!r}: {error.strerror or error}.") from error


def search_options(options: AdviseOptions, need: Requirements) -> SearchOptions:
    """Those with which the data is read as a search would read it."""
    kinds = {name: need.get(name) for name in ("task", "modality") if need.fact(name) is not None}
    trained = {name: value for name, value in kinds.items() if name != "task" or value in TRAINABLE_TASKS}
    return SearchOptions(options.source, **{**trained, **dict(options.data)})


def _with_data(
    options: AdviseOptions, said: Requirements, progress: Progress
) -> tuple[Prepared | None, Requirements, tuple[str, ...]]:
    """The data, the need with what the data says, and what of the two does not agree."""
    task = said.get("task")
    if options.source is None:
        return None, said, ()
    if task is not None and task not in TRAINABLE_TASKS:
        note = f"{options.source} was not read: Nasturtium has no reader for {task} yet."
        return None, said, (note,)
    progress.phase("Data", "reading and profiling")
    prepared = prepare_data(search_options(options, said))
    progress.lines(prepared.profile.lines())
    seen = measured(prepared.profile, prepared.task)
    leaks = tuple(
        f"The column {leak.column!r} alone predicts the target ({leak.measure} {leak.score:.3f}): leave it out "
        "(--drop) if it is not known when predictions are made."
        for leak in prepared.profile.leaks
    )
    return prepared, seen.over(said), (*differences(said, seen), *leaks)


def _asked(need: Requirements, task: Any, ask: Ask) -> Requirements:
    """The need with the user's answers: each one may make another question the next."""
    done: set[str] = set()
    for _ in range(MOST_ASKED):
        left = [one for one in questions(need, task, most=MOST_ASKED + len(done)) if one.field not in done]
        if not left:
            break
        question = left[0]
        done.add(question.field)
        text = ask(question)
        if text:
            need = answered(need, question.field, BY_NAME[question.field].parse(text))
    return need


def _facts(options: AdviseOptions, need: Requirements) -> dict[str, Any]:
    """How a search reads the same data: what of its options JSON can hold."""
    given = {name: value for name, value in options.data.items() if value is not None}
    for name in ("task", "modality"):
        fact = need.fact(name)
        if fact is not None and fact.origin == "given" and name in ("task", "modality"):
            given[name] = fact.value
    return dict(json.loads(json.dumps(given, default=str)))


def _command(options: AdviseOptions, plan: Plan) -> str | None:
    """What to type next."""
    if not plan.search.advised or options.source is None:
        return None
    return f"nasturtium search {options.source} --plan {options.output or 'PLAN.json'}"
