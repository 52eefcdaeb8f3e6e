"""The main job: from a source and limits to a run directory with a trained, verified, exported network."""

import json
import os
import time
from dataclasses import asdict
from typing import Any

from nasturtium.evaluators import Standalone
from nasturtium.hardware import Limits
from nasturtium.protocol import JobLog, Plan
from nasturtium.study import LocalExecutor
from nasturtium.training import Recipe, set_threads
from nasturtium.workflows.auditing import run_audit
from nasturtium.workflows.baselines import run_baselines
from nasturtium.workflows.bounding import bounded
from nasturtium.workflows.checking import check_options, check_proxies, check_space
from nasturtium.workflows.clock import Clock
from nasturtium.workflows.endings import explained
from nasturtium.workflows.finishing import finish
from nasturtium.workflows.folder import RunFolder, new_folder, open_folder, surroundings, write_json
from nasturtium.workflows.objectives import check_objectives
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.preparation import Prepared, choose_recipe, keep, prepare_data
from nasturtium.workflows.progress import Progress, Silent
from nasturtium.workflows.reporting import keep_facts, render, winner
from nasturtium.workflows.result import Result
from nasturtium.workflows.searching import run_search
from nasturtium.workflows.session import LEAST_S, Session
from nasturtium.workflows.shipping import finish_card
from nasturtium.workflows.supernet_audit import audit_supernet
from nasturtium.workflows.writing import result_record


def run_search_workflow(
    options: SearchOptions, progress: Progress | None = None, started: float | None = None
) -> Result:
    """Run a search from the beginning. Nothing is written before the options and the data have been checked.

    started: when the budget began to run, on the monotonic clock; now, by default.
    """
    now = time.monotonic()
    began = now if started is None else started
    clock = Clock(options.clock_s, started=began, start_s=now - began)
    limits = check_options(options)
    shown = progress or Silent()
    shown.phase("Data", "reading and splitting")
    prepared = prepare_data(options)
    shown.lines(prepared.profile.lines())
    check_objectives(options, prepared.task)
    check_proxies(options, prepared.task)
    check_space(options, prepared.task, limits)
    recipe = choose_recipe(options, prepared)
    facts = {**manifest(options, prepared, recipe), "start_s": clock.start_s}
    folder = new_folder(options.output, prepared.name)  # at once before it is made: another run may want the name
    folder.start(facts)
    return run(options, folder, prepared, limits, recipe, clock, shown)


def run(
    options: SearchOptions,
    folder: RunFolder,
    prepared: Prepared,
    limits: Limits,
    recipe: Recipe,
    clock: Clock,
    progress: Progress,
) -> Result:
    """Every phase of a run whose directory exists; also the second half of `resume`."""
    set_threads(1)
    with explained(folder, resumable(options), progress), folder.owned():
        session = _session(options, folder, prepared, limits, recipe, clock, progress)
        try:
            record = _phases(session)
        finally:
            session.executor.close()
    folder.clean()
    return Result(folder.path, record)


def _session(
    options: SearchOptions,
    folder: RunFolder,
    prepared: Prepared,
    limits: Limits,
    recipe: Recipe,
    clock: Clock,
    progress: Progress,
) -> Session:
    data = keep(prepared, folder.work)
    workers = options.workers or usable_cores()
    evaluator = Standalone(
        folder=str(data.development.folder),
        recipe=recipe,
        device=options.accelerator,
        latency_limit_ms=limits.latency_ms,
        measure_latency="latency" in options.objectives,
    )
    executor = LocalExecutor(evaluator, workers)
    plan = Plan(clock.budget_s, workers, clock.start_s)
    log = JobLog(folder.work / "jobs.jsonl")
    return Session(options, folder, data, limits, recipe, plan, clock, executor, log, progress)


def usable_cores() -> int:
    """Cores that this process may use: in a container often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _phases(session: Session) -> dict[str, Any]:
    progress = session.progress
    for leak in session.data.profile.leaks:
        session.remark(
            f"The column {leak.column!r} alone predicts the target ({leak.measure} {leak.score:.3f}): if it is not "
            "known when predictions are made, every score here is too good. Leave it out (--drop) and run again."
        )
    for sentence in bounded(session.options).sentences():
        session.remark(sentence)
    _tell_short_budget(session)
    progress.phase("Baselines", "simple models and known networks")
    baselines = run_baselines(session)
    progress.phase("Search")
    began = session.clock.seconds
    searched = run_search(session, baselines)
    search_seconds = session.clock.seconds - began
    audited = run_audit(session, searched)
    audit_supernet(session, searched)
    ending = finish(session, baselines, searched)
    record = result_record(session, baselines, searched, ending, search_seconds, audited)
    keep_facts(
        session.folder,
        history=searched.history,
        profile_lines=session.data.profile.lines(),
        space_lines=searched.space.lines(),
        drawn=winner(ending.shipped.contender.subject, session.task.input),
    )
    finish_card(session, ending.shipped, record)
    write_json(session.folder.result, record)
    render(session.folder, open_folder(str(session.folder.path))[1])
    return record


def _tell_short_budget(session: Session) -> None:
    """Where the least that every training gets is more than the budget has room for."""
    if session.plan.trial_s < LEAST_S:
        session.remark(
            f"The budget of {session.plan.budget_s:g} s is less than a run needs on this machine, about "
            f"{session.plan.least_s(LEAST_S):.0f} s: it takes longer, and trains its networks briefly."
        )


def manifest(options: SearchOptions, prepared: Prepared, recipe: Recipe) -> dict[str, Any]:
    """What a replay and `resume` need."""
    return {
        **surroundings(),
        "options": _plain(options),
        "limits": bounded(options).to_json(),
        "resumable": resumable(options),
        "name": prepared.name,
        "fingerprints": prepared.fingerprints,
        "split": prepared.split_how,
        "profile": asdict(prepared.profile),
        "recipe": asdict(recipe),
    }


def resumable(options: SearchOptions) -> bool:
    """Can data, space and every other option be found again?"""
    named = isinstance(options.source, str) and (options.space is None or isinstance(options.space, str))
    return named and all(_is_json(getattr(options, name)) for name in options.__dataclass_fields__)


def _plain(options: SearchOptions) -> dict[str, Any]:
    """Options as JSON; what JSON cannot hold (arrays, functions) is named only, and such runs are not resumable."""
    given = {name: getattr(options, name) for name in options.__dataclass_fields__}
    return {
        name: json.loads(json.dumps(value)) if _is_json(value) else f"<{type(value).__name__}>"
        for name, value in given.items()
    }


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
