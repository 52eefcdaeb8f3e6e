"""The sections that are text and tables."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from nasturtium.report.content import ReportContent
from nasturtium.report.head import interval, verdict_mark
from nasturtium.report.markup import Cell, Html, bullets, caption, element, joined, section, table
from nasturtium.report.numbers import (
    UNKNOWN,
    amount,
    count,
    difference,
    difference_interval,
    duration,
    plural,
    probability,
    score,
)


def data_section(content: ReportContent) -> Html:
    lines = "\n".join(content.profile_lines)
    balance = content.profile.get("balance") or {}
    rows: list[list[Cell]] = []
    if 1 < len(balance) <= 40:
        whole = sum(balance.values()) or 1
        rows = [[str(name), f"{rows:,}", f"{100 * rows / whole:.1f} %"] for name, rows in balance.items()]
    classes = table(["class", "rows", "share"], rows, numeric=(1, 2))
    folded = (
        element("details", element("summary", f"Rows of each of the {len(rows)} classes"), classes)
        if rows
        else Html("")
    )
    return section("Data", "data", element("pre", lines, class_="lines") if lines else "", folded)


def baseline_section(content: ReportContent) -> Html:
    """Every baseline, the searched network and the control in one table, best validation score first."""
    result = content.result
    known = [dict(one) for one in result.get("baselines") or ()]
    if not known:
        return Html("")
    best_name = (result.get("best") or {}).get("name")
    found = result.get("found")
    if found and found.get("name") not in [one.get("name") for one in known]:
        known.append({**found, "searched": True})
    sign = -1.0 if content.direction == "maximize" else 1.0
    known.sort(key=lambda one: _key(one, sign))
    rows = [_model_row(one, content, one.get("name") == best_name) for one in known]
    marked = [k for k, one in enumerate(known) if one.get("name") == best_name]
    head = ["model", f"{content.metric}, validation", "test", "95 % interval", "parameters", "limits"]
    words = caption(
        "The marked row ships. A model over a limit is shown, but never shipped. Validation scores flatter "
        "what was chosen by them; test rows were opened once, after the choice."
    )
    return section("Baselines", "baselines", table(head, rows, (1, 2, 3, 4), marked), words, _control(content))


def _key(one: Mapping[str, Any], sign: float) -> tuple[bool, float]:
    mean = (one.get("validation") or {}).get("mean")
    return (mean is None, sign * (mean or 0.0))


def _model_row(one: Mapping[str, Any], content: ReportContent, ships: bool) -> list[Cell]:
    test = one.get("test") or {}
    over = one.get("over") or ()
    limits: Cell = verdict_mark(not over, "within", f"over {', '.join(map(str, over))}")
    limits = str(one["failure"]) if one.get("failure") else (limits if content.result.get("limits") else UNKNOWN)
    kind = " (searched)" if one.get("searched") else ""
    return [
        f"{one.get('name')}{kind}{', ships' if ships else ''}",
        score((one.get("validation") or {}).get("mean"), content.metric),
        score(test.get("mean"), content.metric),
        interval(test, content.metric) or UNKNOWN,
        count(one.get("params")),
        limits,
    ]


def front_table(content: ReportContent) -> Html:
    """The Pareto front of a search with several objectives."""
    members = (content.result.get("search") or {}).get("front") or ()
    if not members:
        return Html("")
    head = ["trial", *(name.removesuffix("_ms") for name in members[0]["scores"]), "architecture"]
    rows: list[list[Cell]] = [
        [
            str(one["trial"]),
            *(
                score(value, name) if place == 0 else amount(name, value)
                for place, (name, value) in enumerate(one["scores"].items())
            ),
            str(one.get("arch_id") or UNKNOWN),
        ]
        for one in members
    ]
    words = "Networks of the search that no other beats in every objective; result.json holds them whole."
    return joined(table(head, rows, tuple(range(len(head) - 1))), caption(words))


def _control(content: ReportContent) -> Html:
    control = content.result.get("control") or {}
    if control.get("expected") is None:
        return Html("")
    metric = control.get("metric") or content.metric
    ends = interval(control, metric)
    return element(
        "p",
        f"Random search alone would have been expected to reach {score(control['expected'], metric)} "
        f"on the validation rows with as many trials{f' (95 % interval {ends})' if ends else ''}.",
    )


def limit_section(content: ReportContent) -> Html:
    limits = content.result.get("limits") or ()
    rows: list[list[Cell]] = [
        [
            str(each["name"]).replace("_ms", ""),
            amount(str(each["name"]), each.get("limit")),
            amount(str(each["name"]), each.get("value")),
            str(each.get("known", "")),
            str(each.get("origin", "given")),
            verdict_mark(bool(each.get("ok"))),
        ]
        for each in limits
    ]
    words = (
        "Checked again on the exported file. Counted: follows from the network. Measured: on this machine. Derived: "
        "from what the device holds; the notes say how."
    )
    whole = table(["cost", "limit", "value", "known how", "limit from", ""], rows, numeric=(1, 2))
    return section("Limits", "limits", whole, caption(words) if rows else "")


def comparison_words(content: ReportContent) -> Html:
    """The searched network against the best baseline, in a sentence."""
    held = content.result.get("comparison") or {}
    if held.get("difference") is None:
        return Html("")
    ends = difference_interval(held.get("low"), held.get("high"), content.metric)
    ends = f" (95 % interval {ends})" if ends else ""
    chance = f", one-sided p = {probability(held['p_better'])}" if held.get("p_better") is not None else ""
    test = f" Test: {held['test']}." if held.get("test") else ""
    return element(
        "p",
        f"The searched network against {held.get('against')}: a gain of "
        f"{difference(held['difference'], content.metric)}{ends}{chance}.{test}",
    )


def test_words(content: ReportContent) -> Html:
    """What ships against the next best, on the rows that were sealed until then."""
    held = content.result.get("test_comparison") or {}
    if held.get("difference") is None:
        return Html("")
    ends = difference_interval(held.get("low"), held.get("high"), content.metric)
    chance = f", p = {probability(held.get('p_value'))}" if held.get("p_value") is not None else ""
    words = f"On the test rows, {held.get('first')} minus {held.get('second')}: "
    words += difference(held["difference"], content.metric) + (f" (95 % interval {ends})" if ends else "") + chance
    return element("p", f"{words}. This came after the choice and did not change it.")


def finalist_table(content: ReportContent) -> Html:
    rows: list[list[Cell]] = []
    best = (content.result.get("best") or {}).get("name")
    for one in content.result.get("finalists") or ():
        values = [value for value in one.get("scores") or () if value is not None and isfinite(value)]
        mean = sum(values) / len(values) if values else None
        each = ", ".join(score(value, content.metric).removesuffix(" %") for value in values) or UNKNOWN
        name = f"{one.get('name')}{', ships' if one.get('name') == best else ''}"
        broken = ", ".join(map(str, one.get("violations") or ()))
        rows.append([name, str(one.get("role", "")), score(mean, content.metric), each, broken])
    head = ["finalist", "role", "mean", "on each resplit", "cannot ship"]
    if not any(row[-1] for row in rows):
        head, rows = head[:-1], [row[:-1] for row in rows]
    return table(head, rows, numeric=(2,))


def cost_section(content: ReportContent) -> Html:
    result, search = content.result, content.result.get("search") or {}
    lines = [f"{duration(result.get('seconds'))} in all, {duration(result.get('search_seconds'))} of it the search."]
    if result.get("search_seconds") is None:
        lines = [f"{duration(result['seconds'])} in all."] if result.get("seconds") is not None else []
    if result.get("trials") is not None:
        parts = [plural(int(result["trials"]), "trial")]
        parts += [f"{search['scored']:,} gave a score"] if search.get("scored") is not None else []
        parts += [f"{search['random']:,} were drawn at random as a control"] if search.get("random") else []
        lines.append(", ".join(parts) + ".")
    if search.get("worker_seconds"):
        lines.append(f"{duration(search['worker_seconds'])} of training in the workers, all together.")
    failures = search.get("failures") or {}
    rows: list[list[Cell]] = [[str(reason), f"{times:,}"] for reason, times in failures.items()]
    failed = (
        joined(element("h3", "Failed trials by reason"), table(["reason", "trials"], rows, numeric=(1,)))
        if rows
        else ""
    )
    return section("Cost", "cost", bullets(lines), failed)


def note_section(content: ReportContent) -> Html:
    notes = list(dict.fromkeys([*content.warnings, *(content.result.get("notes") or ())]))
    openings = content.result.get("test_openings") or ()
    if len(openings) > 1:
        notes.append(f"The test set was opened {len(openings)} times: {'; '.join(map(str, openings))}.")
    return section("Assumptions and warnings", "notes", bullets([str(note) for note in notes]))


def file_section(content: ReportContent) -> Html:
    files: Mapping[str, str] = content.result.get("files") or {}
    if not files:
        return Html("")
    meaning = {
        "onnx": "for ONNX Runtime; pre-processing inside",
        "source": "the network as readable Python; needs torch only",
        "weights": "the numbers, for model.py",
        "architecture": "the architecture as JSON",
        "preprocessing": "how rows of yours become rows of the network's",
        "report": "this page",
        "study": "every trial, in Optuna's journal",
        "card": "what it is, how good, how to run it",
    }
    rows: list[list[Cell]] = [[element("code", path), meaning.get(kind, kind)] for kind, path in files.items()]
    parts: list[Cell] = [table(["file", "what for"], rows), _checks(content)]
    if "onnx" in files:
        parts += [
            element("h3", "On new rows"),
            element("pre", "nasturtium predict RUN rows.csv    # or a folder of images, or an .npz"),
        ]
    if "source" in files:
        code = "from model import load, predict    # in the folder of model.py\n\npredict(rows, load())"
        parts += [element("h3", "In Python, without Nasturtium"), element("pre", code)]
    return section("Files", "files", *parts)


def _checks(content: ReportContent) -> Html:
    """What was found when the files were compared with the trained model."""
    checks = list((content.result.get("export") or {}).get("checks") or ())
    if not checks:
        return Html("")
    told = [
        f"{each['file']} by at most {each['max_difference']:.1g}, same answer on {100 * each['agreement']:.4g} %"
        for each in checks
    ]
    return caption(f"Difference from the trained model on {checks[0]['rows']} real rows: {'; '.join(told)}.")


def replay_section(content: ReportContent) -> Html:
    rows: list[list[Cell]] = [[str(name), str(value)] for name, value in content.surroundings.items()]
    seed = content.result.get("seed")
    command = element("pre", content.command) if content.command else ""
    words = (
        element("p", f"Seed {seed}. The same command and seed give the same run wherever no clock decides.")
        if seed is not None
        else ""
    )
    return section("How to repeat it", "repeat", command, words, table(["what", "value"], rows))


def search_words(content: ReportContent) -> Html:
    """How it was searched and why so, and the space."""
    search = content.result.get("search") or {}
    named = [("Space", "space"), ("strategy", "strategy"), ("scheduler", "scheduler")]
    parts = [f"{name} {search[key]}" for name, key in named if search.get(key)]
    if search.get("space_size") and parts:
        parts[0] += f" ({count(float(search['space_size']))} architectures)"
    words = element("p", ", ".join(parts) + ".") if parts else Html("")
    lines = "\n".join(content.space_lines)
    space = element("pre", lines, class_="lines") if lines else ""
    folded = element("details", element("summary", "The space that was searched"), space) if lines else Html("")
    return joined(words, bullets([str(reason) for reason in search.get("reasons") or ()]), folded)


def seed_words(content: ReportContent) -> str:
    """What each seed of the shipped model scored on the test rows."""
    test = (content.result.get("best") or {}).get("test") or {}
    values = test.get("per_seed") or ()
    if len(values) < 2:
        return ""
    each = ", ".join(score(value, content.metric) for value in values)
    rows = f" on {test['rows']:,} test rows" if test.get("rows") else ""
    return f"Trained {len(values)} times{rows}: {each}. The interval covers seeds and test rows; the first ships."
