"""Weight sharing in a run: a supernet is trained on the search's training rows, and what it derives is tried alone.

The derived architectures are ordinary trials, trained from scratch beside the random control; the protocol is the same
as for any other strategy. The trace of the shared training is kept in `one_shot.json`, the weights beside it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite, isinf
from typing import Any

import numpy as np
import torch

from nasturtium.blocks import construct, deployed
from nasturtium.data import Development, input_statistics
from nasturtium.errors import RunError
from nasturtium.evaluators import lowered
from nasturtium.evaluators.network import set_statistics, standardised
from nasturtium.hardware import LimitedCandidates, Limits
from nasturtium.roles import Derived, SearchBudget, Trace, Wanted
from nasturtium.space import Architecture
from nasturtium.space.describe import lasted, plural
from nasturtium.strategies import EnasController, Given
from nasturtium.study import noticed
from nasturtium.supernet import Supernet, save_supernet
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.registry import Method, one_shot, one_shot_name
from nasturtium.training import Augmentation, find_device
from nasturtium.workflows.folder import write_json
from nasturtium.workflows.latency_model import SAFE, latency_model
from nasturtium.workflows.session import Session

SHARE = 0.6
"""Of the time for the search, for the shared training; the rest trains what it derives, and the control, alone."""
ALONE = 12
"""Trials wanted after it where the clock decides: derived architectures and the control."""
STEPS = 2000
"""Steps that a search has at least: the published numbers of epochs are made for tens of thousands of rows."""
PURPOSE = "one-shot"
"""Of the seed of the shared training, from which its rows that score follow too."""


def derive(session: Session, candidates: LimitedCandidates, end_s: float) -> tuple[Given, str]:
    """The strategy that proposes what a one-shot search derived, and how that went. end_s: of the whole search.

    A resumed run goes on from the last checkpoint, or takes what had been derived. Ctrl-C ends the shared training:
    what the weights say by then is tried alone.
    """
    name = one_shot_name(session.options.strategy)
    if name is None:
        raise RunError(f"{session.options.strategy!r} is no one-shot search.")
    kept = session.folder.one_shot
    if not kept.exists():
        derived = _train(session, candidates, name, end_s)
        write_json(kept, record(derived, candidates.limits))
    facts = json.loads(kept.read_text(encoding="utf-8"))
    _remark(session, facts["remarks"])  # of a resumed run too: its result tells what the whole run came to
    given = tuple(candidates.space.architecture(values) for values in facts["derived"])
    return Given(given, name), (
        f"The strategy {name} was asked for: a supernet of the space was trained for "
        f"{lasted(facts['passes'])} ({facts['seconds']:.0f} s); it derived {plural(len(given), 'architecture')}, which "
        "are trained alone, the most probable first, as far as trials and time allow."
    )


def _remark(session: Session, sentences: Sequence[str]) -> None:
    """Each once."""
    for sentence in sentences:
        if sentence not in session.notes:
            session.remark(sentence)


def _train(session: Session, candidates: LimitedCandidates, name: str, end_s: float) -> Derived:
    some = candidates.sample(np.random.default_rng([session.options.seed]))
    rows = search_rows(session.data.development, some, session.recipe.augment)
    method = one_shot(name, len(rows.inputs), EnasController().policy)
    session.progress.phase("Shared training", f"{name}: one supernet for all architectures of {candidates.space.name}")
    session.progress.jobs(0, 100, "%, building the supernet")
    seed = session.seed("supernet")
    supernet = Supernet(candidates.space, seed=seed, partial=method.partial, transforms=method.transforms)
    supernet.to(find_device(session.options.accelerator))
    epochs = _epochs(method, len(rows.inputs))
    left_s = None if isinf(end_s) else max(1.0, SHARE * (end_s - session.clock.seconds))
    with noticed() as interrupted:

        def report(trace: Trace) -> bool:
            session.tick()
            session.progress.jobs(round(100 * trace.share), 100, _line(trace))
            _remark(session, trace.remarks)
            return interrupted()

        derived = method.trainer.train(
            supernet,
            rows,
            SearchBudget(epochs, left_s),
            seed=session.seed(PURPOSE),
            wanted=_wanted(session, candidates),
            report=report,
            checkpoint=session.folder.work / "one_shot.safetensors",
        )
    save_supernet(supernet, session.folder.supernet)
    if derived.trace.ended == "report":
        session.remark(
            f"The shared training was interrupted after {lasted(derived.trace.passes)}; what it derives by then is "
            "trained alone. Ctrl-C again ends the search."
        )
    return derived


def search_rows(data: Development, some: Architecture, augment: Augmentation) -> SearchRows:
    """The training rows of the search, standardised as every network sees them; no other rows are in them.

    some: any architecture of the space, as all standardise alike.
    """
    task, train = data.task, data.fold("search")[0]
    model = construct(deployed(lowered(some, task), task))
    set_statistics(model, input_statistics(data, train))
    inputs = standardised(model, data.inputs[train])
    return SearchRows(inputs, torch.from_numpy(data.targets[train]), task, augment)


def _wanted(session: Session, candidates: LimitedCandidates) -> Wanted:
    """Limits that the shared training is led by; sizes that do not add up only bar what breaks them."""
    limits = {name: value for name, value in candidates.limits.items() if name in ("params", "macs")}
    costs = {}
    if session.limits.latency_ms is not None:
        session.progress.phase("Latency", "measuring networks of the space, for a model of it")
        limits["latency_ms"] = SAFE * session.limits.latency_ms
        costs["latency_ms"] = latency_model(candidates, session.seed("latency model"))

    def feasible(architecture: Architecture) -> bool:
        quick = all(cost(architecture) <= limits[name] for name, cost in costs.items())
        return quick and candidates.feasible(architecture)

    count = ALONE if session.options.trials is None else session.options.trials
    return Wanted(limits, costs, feasible, count)


def _epochs(method: Method, rows: int) -> int | None:
    """Published epochs, or on few rows so many that there are `STEPS` steps; None where the method knows better."""
    settings = getattr(method.trainer, "settings", None)
    if settings is None:
        return None
    steps = max(1, int(rows * settings.train_share) // settings.batch_size)
    return max(int(settings.epochs), -(-STEPS // steps))


def _line(trace: Trace) -> str:
    """What the live view has room for; the entropy of paths that are drawn evenly says nothing."""
    if trace.looked:
        return f"%, {plural(trace.looked, 'path')} looked at"
    if not trace.epochs:
        return "%, epoch 1"
    last = trace.epochs[-1]
    entropy = "" if last.entropy > 1 - 1e-9 else f", entropy {last.entropy:.2f}"
    skips = "" if last.skips is None else f", skips {last.skips:.0%}"
    return f"%, epoch {len(trace.epochs)}: loss {last.train_loss:.3g}{entropy}{skips}"


def record(derived: Derived, limits: Limits) -> dict[str, Any]:
    """What is kept of a one-shot search, as JSON. limits: that the space was made for, the clock's included."""
    trace = derived.trace
    epochs = [
        {
            **asdict(one),
            "weights": [[round(float(w), 4) for w in weights] for weights in one.weights],
            "train_loss": one.train_loss if isfinite(one.train_loss) else None,
        }
        for one in trace.epochs
    ]
    return {
        "method": trace.method,
        "mixtures": [{"name": name, "options": list(options)} for name, options in trace.mixtures],
        "epochs": epochs,
        "remarks": list(trace.remarks),
        "ended": trace.ended,
        "seconds": round(trace.seconds, 2),
        "passes": round(trace.passes, 2),
        "derived": [dict(one.values) for one in derived.architectures],
        "limits": dict(limits.items()),
    }
