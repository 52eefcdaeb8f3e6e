"""The searches of a bench: which there are, which are done, and running the others on all cores."""

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import nasturtium
from nasturtium.bench.contenders import beginning
from nasturtium.bench.problem import Problem
from nasturtium.bench.search import search
from nasturtium.bench.store import Lines
from nasturtium.errors import RunError, UserError
from nasturtium.roles import Candidates, Scheduler, Strategy
from nasturtium.space import Architecture
from nasturtium.trial import Fidelity, History, Trial

ROOMS = ("bench", "blocks", "evaluators", "hardware", "predictors", "proxies", "schedulers", "space", "strategies")
ROOMS_OF_THE_LOOP = ("study", "zoo", "pareto.py", "roles.py", "trial.py")


@dataclass(frozen=True)
class Entry:
    """A strategy with its settings, on one problem. label: its name in the results. settings: in words, for the key."""

    label: str
    problem: Problem
    strategy: Strategy
    scheduler: Scheduler
    control: Strategy
    settings: str


@dataclass(frozen=True)
class Job:
    """One search: an entry (by its place in the list) and a seed. key: what its result depends on."""

    entry: int
    seed: int
    key: str


def probe(entry: Entry, seed: int) -> None:
    """Ask once for a proposal after a few scores. Raises `RunError`, so that a strategy that cannot handle the
    objectives or the space says so before anything is run or written."""
    problem = entry.problem
    candidates = problem.candidates(seed)
    begins = beginning(entry.strategy)
    count = min(problem.queries - 1, 1 + (begins[1] if begins else 5))
    drawn = novel_rows(candidates, count, seed)
    trials = []
    for number, architecture in enumerate(drawn):
        outcome = problem.query(architecture, Fidelity(problem.epochs), seed)
        trial = Trial(number, architecture, Fidelity(problem.epochs), seed + number, entry.strategy.name, "complete")
        trials.append(replace(trial, measures=outcome.measures, curve=outcome.curve, seconds=outcome.seconds))
    for known in ((), tuple(trials)):
        try:
            entry.strategy.ask(History(problem.objectives, known), 1, seed, candidates)
        except UserError as error:
            raise RunError(f"{entry.label} on {problem.name}: {error}") from error


def novel_rows(candidates: Candidates, count: int, seed: int) -> list[Architecture]:
    """Up to so many different architectures, drawn at random."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, Architecture] = {}
    for _ in range(4 * count):
        if len(drawn) < count:
            architecture = candidates.sample(rng)
            drawn.setdefault(architecture.arch_id, architecture)
    return list(drawn.values())


def code_version() -> str:
    """12 hexadecimal digits of the source that a result depends on: a result of other code is not taken for ours."""
    root = Path(nasturtium.__file__).parent
    digest = hashlib.sha256()
    for place in (*ROOMS, *ROOMS_OF_THE_LOOP):
        found = [root / place] if place.endswith(".py") else sorted((root / place).rglob("*.py"))
        for file in found:
            if file.exists():
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def planned(entries: Sequence[Entry], fingerprints: Sequence[str], seeds: range, version: str) -> list[Job]:
    """All jobs, seed by seed, so that a bench that is stopped has about as many seeds of each."""
    made = []
    for seed in seeds:
        for place, (entry, fingerprint) in enumerate(zip(entries, fingerprints, strict=True)):
            problem = entry.problem
            parts = (problem.name, problem.protocol, fingerprint, problem.trials, entry.label, entry.settings, version)
            made.append(Job(place, seed, " | ".join(str(part) for part in (*parts, seed))))
    return made


def run_jobs(
    entries: Sequence[Entry], jobs: Sequence[Job], lines: Lines, workers: int, told: Callable[[int, int], None]
) -> None:
    """Run what is not among the lines yet. told: is called with the number done and in all, after each.

    Raises `RunError` naming the search that failed; what was finished before is kept.
    """
    left = [job for job in jobs if job.key not in lines.records]
    done = len(jobs) - len(left)
    told(done, len(jobs))
    for job, record in _records(entries, left, workers):
        lines.add(job.key, record)
        done += 1
        told(done, len(jobs))


def _records(entries: Sequence[Entry], jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, dict[str, Any]]]:
    if min(workers, len(jobs)) <= 1:
        for job in jobs:
            yield job, _checked(entries[job.entry], job, _record(entries[job.entry], job.seed))
        return
    global _ENTRIES
    _ENTRIES = entries
    # Forked, so that tables and worked-out identities are shared and not sent.
    context = multiprocessing.get_context("fork")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(workers, len(jobs)), context, initializer=_begin, initargs=(os.getpid(),))
    try:
        pending: dict[Future[dict[str, Any]], Job] = {pool.submit(_forked, job): job for job in jobs}
        while pending:
            ended, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in ended:
                job = pending.pop(future)
                yield job, _checked(entries[job.entry], job, future.result())
    except BrokenProcessPool as error:
        raise RunError(
            "A worker process died, most likely for want of memory. Run again with fewer --workers: finished searches "
            "are kept where there is an output folder."
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()


_ENTRIES: Sequence[Entry] = ()
"""What forked workers find; set just before the fork and read nowhere else."""


def _begin(parent: int) -> None:
    """Of each worker: one thread, Ctrl-C left to the parent, and an end when the parent ends, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    torch.set_num_threads(1)
    threadpool_limits(1)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _forked(job: Job) -> dict[str, Any]:
    return _record(_ENTRIES[job.entry], job.seed)


def _record(entry: Entry, seed: int) -> dict[str, Any]:
    """A search as JSON. A user's mistake comes back as text, because not every exception survives a pickle."""
    try:
        found = search(entry.problem, entry.strategy, entry.scheduler, entry.control, seed)
    except UserError as error:
        return {"error": str(error)}
    return {
        "benchmark": entry.problem.benchmark,
        "protocol": entry.problem.protocol,
        "problem": entry.problem.key,
        "strategy": entry.label,
        "settings": entry.settings,
        "seed": seed,
        "course": found.course.to_json(),
        "ask_ms": found.ask_ms,
        "end": found.end,
    }


def _checked(entry: Entry, job: Job, record: dict[str, Any]) -> dict[str, Any]:
    if "error" in record:
        raise RunError(f"{entry.label} on {entry.problem.name}, seed {job.seed}: {record['error']}")
    return record
