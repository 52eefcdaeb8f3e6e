"""A family: of one run's shared weights the best network within each of several limits, as files that stand alone.

Evolution looks at inherited scores on the part of the search's training rows that trained no weights, and fine-tuning
is kept where it is better on the same rows. What is reported is the score on the validation rows, which did neither.
The test rows stay sealed: the run opened them for its own choice, and no member was part of that.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from torch import nn

from nasturtium.blocks import deployed
from nasturtium.errors import LimitError, RunError
from nasturtium.evaluators import lowered
from nasturtium.evaluators.network import assembled, score
from nasturtium.export import CardFacts, Deployable, whole, write_best
from nasturtium.hardware import Limits, measure_file, shown
from nasturtium.report.numbers import amount, count
from nasturtium.report.numbers import score as score_text
from nasturtium.roles import Candidates
from nasturtium.supernet.evolution import Known
from nasturtium.supernet.family import Member, specialise, tuned
from nasturtium.training import set_threads
from nasturtium.workflows.folder import surroundings, write_json
from nasturtium.workflows.latency_model import SAFE
from nasturtium.workflows.progress import Progress, Silent
from nasturtium.workflows.shared_weights import SharedWeights, open_shared
from nasturtium.workflows.shipping import CHECK_ROWS, LimitCheck, check_limits, dearest

SCHEMA = 1
LIMITS = ("params", "macs", "latency", "memory", "size")
TUNE_RATE = 0.3
"""Of the recipe's learning rate, for weights that are trained already and a few epochs. Where members are trained on
for as long as a network from scratch, all of it is better (`benchmarks/family.py`)."""
TIGHTER = 3
"""Times that a limit is tightened where the exported file is over it."""


@dataclass(frozen=True)
class FamilyOptions:
    """What is asked of a family; the command line and Python share it.

    run: a run directory. limits: by name (`LIMITS`), amounts as text with commas between ("5k,10k"): one member for
    each; of several names the first amounts belong together, then the second ones; a single amount holds for all.
    fine_tune: epochs that each member is trained on; None takes it as it is. tune_rate: at so many times the learning
    rate of the run's recipe. budget_s: seconds for looking at paths,
    shared evenly; None lets each evolution end. seed: of the evolution and the fine-tuning. output: a folder that does
    not exist yet; None is `family` in the run.
    """

    run: str
    limits: Mapping[str, str]
    fine_tune: int | None = None
    tune_rate: float = TUNE_RATE
    budget_s: float | None = None
    seed: int = 0
    output: str | None = None

    def __post_init__(self) -> None:
        if self.fine_tune is not None and self.fine_tune < 1:
            raise RunError(f"--fine-tune is {self.fine_tune}: at least 1 epoch is needed; leave it out for none.")
        if not 0 < self.tune_rate < float("inf"):
            raise RunError(f"--tune-rate is {self.tune_rate:g}: it must be above 0; the default is {TUNE_RATE}.")
        if self.budget_s is not None and not self.budget_s > 0:
            raise RunError(f"--budget is {self.budget_s:g} s: it must be above 0. Write --budget 3m, for instance.")
        if self.seed < 0:
            raise RunError(f"--seed is {self.seed}: it must be 0 or more.")


@dataclass(frozen=True)
class FamilyResult:
    """folder: of the members, each in one of its own. record: the content of `family.json`."""

    folder: Path
    record: dict[str, Any]

    @property
    def members(self) -> list[dict[str, Any]]:
        return list(self.record["members"])

    def lines(self) -> list[str]:
        """The table as text for a terminal of 80 columns, and what the scores are."""
        return [*_table(self.record), "", *self.record["remarks"], f"Files: {self.folder}/NAME/"]

    def __repr__(self) -> str:
        return f"FamilyResult({str(self.folder)!r}): {', '.join(one['name'] for one in self.members)}"


def make_family(options: FamilyOptions, progress: Progress | None = None) -> FamilyResult:
    """Find, fine-tune, check and write a member for each limit. The folder appears whole at the end, or not at all.

    Raises `RunError` for a run that has no weights for a family and for a folder that exists, `LimitError` for limits
    that cannot be read or met; each before anything is scored.
    """
    asked, told, began = listed_limits(options.limits), progress or Silent(), monotonic()
    set_threads(1)
    told.phase("Shared weights", f"of {options.run}")
    shared = open_shared(options.run)
    folder = _new_folder(options.output, shared.folder.path / "family")
    if any(one.latency_ms is not None for one in asked):
        told.phase("Latency", "measuring networks of the space, for a model of it")
    within = [shared.within(_aimed_at(one)) for one in asked]
    known: Known = {}
    members, looking = [], monotonic()
    with whole(folder) as place:
        for number, (limits, candidates) in enumerate(zip(asked, within, strict=True)):
            told.phase(label(limits), f"{number + 1} of {len(within)}")
            left_s = None if options.budget_s is None else options.budget_s - (monotonic() - looking)
            share_s = None if left_s is None else max(0.0, left_s) / (len(within) - number)
            members.append(_member(shared, limits, candidates, options, known, share_s, place))
        record = _record(shared, options, members, len(known), monotonic() - began)
        write_json(place / "family.json", record)
    return FamilyResult(folder, record)


def listed_limits(amounts: Mapping[str, str]) -> tuple[Limits, ...]:
    """One for each member, in the order given; none twice. Raises `LimitError` for lists of different lengths."""
    unknown = [name for name in amounts if name not in LIMITS]
    if unknown:
        raise LimitError(f"A family has no limit on {unknown[0]}. Known: {', '.join(LIMITS)}.")
    lists = {name: [part.strip() for part in text.split(",")] for name, text in amounts.items()}
    if not lists:
        raise LimitError("A family needs at least one limit. Write --max-params 5k,10k,20k, for instance.")
    longest = max(map(len, lists.values()))
    for name, parts in lists.items():
        if len(parts) not in (1, longest):
            raise LimitError(
                f"--max-{name} has {len(parts)} amounts and another limit has {longest}. Give as many, which are taken "
                "together in their order, or one for all."
            )
    rows = [{name: parts[0] if len(parts) == 1 else parts[k] for name, parts in lists.items()} for k in range(longest)]
    return tuple(dict.fromkeys(Limits.parse(**row) for row in rows))


def _aimed_at(limits: Limits) -> Limits:
    return limits if limits.latency_ms is None else replace(limits, latency_ms=SAFE * limits.latency_ms)


def label(limits: Limits) -> str:
    """The name of a member, and of its folder: `params-5k`, `params-5k-size-64KB`."""
    parts = [f"{name.removesuffix('_ms')}-{shown(name, value)}" for name, value in limits.items()]
    return "-".join(parts).replace(" ", "")


def _new_folder(output: str | None, usual: Path) -> Path:
    folder = usual if output is None else Path(output)
    if folder.exists():
        raise RunError(f"The folder {str(folder)!r} exists, and is never overwritten. Give another with --output.")
    return folder


def _member(
    shared: SharedWeights,
    limits: Limits,
    candidates: Candidates,
    options: FamilyOptions,
    known: Known,
    deadline_s: float | None,
    place: Path,
) -> dict[str, Any]:
    """Find, fine-tune and write the member of one limit; its record.

    candidates: what is aimed at. The file may hold a little more than is counted (the statistics of the input), and be
    slower than predicted: then less than this member has is aimed at, by as much. Raises `LimitError` where that does
    not help.
    """
    aim, checks = _aimed_at(limits), tuple[LimitCheck, ...]()
    for _ in range(1 + TIGHTER):
        found = specialise(
            shared.score,
            candidates,
            shared.evolution,
            seed=options.seed,
            known=known,
            deadline_s=deadline_s,
            to_be_tuned=options.fine_tune is not None,
        )
        inherited = _validated(shared, found)
        member = _tuned(shared, found, options)
        facts = {
            "name": label(limits),
            "limits": dict(limits.items()),
            "inherited": inherited,
            "score": inherited if member is found else _validated(shared, member),
            "fine_tuned": member is not found,
        }
        checks, written = _write(shared, member, limits, facts, place / label(limits))
        over = {check.name: check for check in checks if not check.ok}
        if not over:
            return facts | written | {"architecture": dict(member.architecture.values)}
        foreseen = {name: shared.foreseen(name, member.architecture) for name in over}
        aim = replace(aim, **{name: foreseen[name] * check.limit / check.value for name, check in over.items()})
        try:
            candidates = shared.within(aim)
        except LimitError:  # nothing is as small as that: say what the file is over, not what was tried
            break
    over_by = ", ".join(f"{check.name} {shown(check.name, check.value)}" for check in checks if not check.ok)
    raise LimitError(f"The exported file of {label(limits)} is over its limit ({over_by}). Raise that limit.")


def _tuned(shared: SharedWeights, member: Member, options: FamilyOptions) -> Member:
    if options.fine_tune is None:
        return member
    recipe = replace(shared.recipe, epochs=options.fine_tune, lr=options.tune_rate * shared.recipe.lr, patience=None)
    return tuned(member, shared.score, recipe, options.seed)


def _whole(shared: SharedWeights, member: Member) -> nn.Module:
    """The member with its pre-processing, on the CPU."""
    task, statistics = shared.prepared.task, shared.rows.statistics
    return assembled(member.architecture, task, member.network.cpu(), statistics, member.target_scale)


def _validated(shared: SharedWeights, member: Member) -> float:
    """The task's metric on the validation rows of the search."""
    task = shared.prepared.task
    return score(_whole(shared, member), shared.rows, task)[task.metric]


def _write(
    shared: SharedWeights, member: Member, limits: Limits, facts: Mapping[str, Any], folder: Path
) -> tuple[tuple[LimitCheck, ...], dict[str, Any]]:
    """The files of a member, its limits checked on them, and its costs and files for the record."""
    task, prepared = shared.prepared.task, shared.prepared
    call = deployed(lowered(member.architecture, task), task)
    deployable = Deployable(f"{shared.method} {facts['name']}", task, call, _whole(shared, member).state_dict())
    card = CardFacts(
        data=prepared.name,
        data_lines=prepared.profile.lines(),
        sentence=_sentence(shared, facts),
        macs=member.costs["macs"],
        versions={name: value for name, value in surroundings()["versions"].items() if value is not None},
    )
    encoded, inputs = prepared.preprocessing.to_json(), prepared.development.inputs[:CHECK_ROWS]
    report = write_best(folder, deployable, encoded, member.architecture.to_json(), inputs, card)
    measured = measure_file(folder / "model.onnx", task.input)
    costs = dearest({name: float(value) for name, value in member.costs.items()}, measured)
    checks = check_limits(limits, costs)
    return checks, {
        "costs": {name: round(costs[name], 4) for name in ("params", "macs", "memory", "size", "latency_ms")},
        "checks": [asdict(check) | {"ok": check.ok} for check in checks],
        "files": {kind: f"{facts['name']}/{name}" for kind, name in report.files.items()},
        "notices": list(report.notices),
    }


def _sentence(shared: SharedWeights, facts: Mapping[str, Any]) -> str:
    metric = shared.prepared.task.metric
    how = "trained on from the shared weights" if facts["fine_tuned"] else "with the shared weights as they are"
    return (
        f"The best network found within {facts['name']} in the supernet of {str(shared.folder.path)!r} "
        f"({shared.method}), {how}: {metric} {score_text(facts['score'], metric)} on the validation rows of the search."
    )


def _record(
    shared: SharedWeights, options: FamilyOptions, members: Sequence[Mapping[str, Any]], looked_at: int, seconds: float
) -> dict[str, Any]:
    """The content of `family.json`. looked_at: paths with an inherited score."""
    rows, metric = len(shared.rows.score_inputs), shared.prepared.task.metric
    chosen = "the best" if options.fine_tune is None else "a large one, to be trained on, of the best quarter"
    remarks = [
        f"Scores are {metric} on the {rows:,} validation rows of the search, which trained no weights and chose no "
        f"member; chosen was {chosen} of {looked_at:,} paths on other rows. The test rows stay sealed.",
        *_remarks(members, tuning=options.fine_tune is not None),
    ]
    return {
        "schema": SCHEMA,
        "run": str(shared.folder.path),
        "method": shared.method,
        "space": shared.space.name,
        "metric": metric,
        "validation_rows": rows,
        "fine_tune_epochs": options.fine_tune,
        "tune_rate": options.tune_rate,
        "seed": options.seed,
        "looked_at": looked_at,
        "seconds": round(seconds, 1),
        "remarks": remarks,
        "members": list(members),
    }


def _remarks(members: Sequence[Mapping[str, Any]], tuning: bool) -> list[str]:
    """Limits that have one network between them, and members that fine-tuning made no better."""
    found: dict[str, list[str]] = {}
    for one in members:
        found.setdefault(json.dumps(one["architecture"], sort_keys=True), []).append(one["name"])
    told = [
        f"The network of {' and '.join(names)} is the same: no better one was found within the looser limits."
        for names in found.values()
        if len(names) > 1
    ]
    kept = [one["name"] for one in members if tuning and not one["fine_tuned"]]
    if kept:
        told.append(f"Fine-tuning made {', '.join(kept)} no better on rows that did not train: left as taken out.")
    return told


def _table(record: Mapping[str, Any]) -> list[str]:
    """A line for each member, below the names of the columns."""
    tuning, metric = record["fine_tune_epochs"] is not None, record["metric"]
    timed = any("latency_ms" in one["limits"] for one in record["members"])
    heads = ["params", "MACs", "file", *(["latency"] if timed else []), "inherited"]
    rows = [["member", *heads, *(["fine-tuned"] if tuning else [])]]
    for one in record["members"]:
        costs, scores = one["costs"], [one["inherited"], one["score"]][: 1 + tuning]
        sizes = [count(costs["params"]), count(costs["macs"]), amount("size", costs["size"])]
        sizes += [shown("latency_ms", costs["latency_ms"])] if timed else []
        rows.append([one["name"], *sizes, *(score_text(value, metric) for value in scores)])
    first, *widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])
        for name, *cells in rows
    ]
