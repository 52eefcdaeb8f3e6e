"""The result in a terminal of 80 columns."""

import textwrap
from collections.abc import Mapping
from typing import Any

from nasturtium.report.numbers import (
    amount,
    correlation,
    count,
    difference,
    difference_interval,
    duration,
    plural,
    probability,
    score,
)
from nasturtium.report.result_schema import Model, RunResult, Score, check_result

WIDTH = 80
FRONT = 7
"""Members of the front that are listed."""


def summary_lines(record: Mapping[str, Any] | RunResult, folder: str = "") -> list[str]:
    """Lines of at most 80 columns (paths may be longer): verdict, scores, costs, limits, comparison, files."""
    result = record if isinstance(record, RunResult) else check_result(record)
    lines = [*textwrap.wrap(result.sentence, WIDTH, break_on_hyphens=False), ""]
    lines += _models(result)
    lines += _front(result)
    lines += _limits(result)
    lines += _certainty(result)
    lines += _predictors(result)
    failures = sum(result.search.failures.values()) if result.search else 0
    failed = f", {failures} failed" if failures else ""
    lines.append(
        f"{'Cost':<11} {plural(result.trials, 'trial')}{failed}, {duration(result.seconds)} in all, seed {result.seed}"
    )
    for note in result.notes:
        lines += textwrap.wrap(note, WIDTH, initial_indent=f"{'Note':<11} ", subsequent_indent=" " * 12)
    if folder:
        lines += ["", f"{'Files':<11} {folder}", f"{'Report':<11} {folder.rstrip('/')}/report.html"]
    return lines


def _models(result: RunResult) -> list[str]:
    """The model that ships, and the others in the order of their scores, in one table."""
    rows: list[tuple[str, Model]] = [("*", result.best)]
    if result.found is not None and result.found.name != result.best.name:
        rows.append((" ", result.found))
    rows += [(" ", model) for model in result.baselines if model.name != result.best.name]
    lines = [f"  {'model':<26} {'params':>9} {'validation':>12}  test (95 % interval)"]
    for mark, model in rows:
        over = getattr(model, "over", [])
        told = f"over {', '.join(over)}" if over else _interval(model.test)
        name = textwrap.shorten(model.name, 26, placeholder="…")
        lines.append(
            f"{mark} {name:<26} {count(model.params):>9} {_mean(model.validation):>12}  {told}".rstrip()[:WIDTH]
        )
    return [*lines, "  (* ships)", ""]


def _mean(value: Score | None) -> str:
    return score(value.mean, value.metric or "") if value else "–"


def _interval(value: Score | None) -> str:
    if value is None or value.mean is None:
        return "–"
    metric = value.metric or ""
    if value.low is None or value.high is None:
        return score(value.mean, metric)
    low, high = (score(end, metric).removesuffix(" %") for end in (value.low, value.high))
    return f"{score(value.mean, metric)} ({low} to {high})"


def _front(result: RunResult) -> list[str]:
    """Networks of the search that no other beats in every objective: the ends of the front and what lies between."""
    members = result.search.front if result.search else []
    if not members:
        return []
    step = max(1, -(-(len(members) - 1) // (FRONT - 1)))
    shown = [*members[:-1:step], members[-1]]
    told = f"{len(shown)} of {len(members)}" if len(shown) < len(members) else f"{len(members)}"
    lines = [f"{'Front':<11} {told}, by their scores in the search; all in result.json"]
    for one in shown:
        values = [
            score(value, name) if place == 0 else f"{amount(name, value)} {name.removesuffix('_ms')}"
            for place, (name, value) in enumerate(one.scores.items())
        ]
        lines.append(f"{'':<11} " + "  ".join(f"{value:>16}" for value in values) + f"  trial {one.trial}")
    return [*lines, ""]


def _limits(result: RunResult) -> list[str]:
    return [
        f"{'Limit':<11} {each.name} {amount(each.name, each.value)} of {amount(each.name, each.limit)} "
        f"({each.known}): {'met' if each.ok else 'NOT MET'}"
        for each in result.limits
    ]


def _predictors(result: RunResult) -> list[str]:
    """The best score that is known before training, beside params and MACs."""
    known = {one.name: one for one in (result.search.predictors if result.search else [])}
    others = [one for one in known.values() if one.kind != "cost"]
    told = [*others[:1], *(known[name] for name in ("params", "macs") if name in known)]
    if not others:
        return []
    values = ", ".join(f"{one.name} {correlation(one.spearman)}" for one in told)
    useful = sum(one.useful for one in others)
    return [f"{'Spearman':<11} best {values}; {useful} of {len(others)} useful"]


def _certainty(result: RunResult) -> list[str]:
    comparison, metric = result.comparison, (result.best.validation.metric or "") if result.best.validation else ""
    if comparison is None or comparison.difference is None:
        return []
    text = f"{difference(comparison.difference, metric)} against {comparison.against}"
    ends = difference_interval(comparison.low, comparison.high, metric)
    text += f" ({ends})" if ends else ""
    if comparison.p_better is not None:
        text += f", one-sided p = {probability(comparison.p_better)}"
    return textwrap.wrap(text, WIDTH, initial_indent=f"{'Gain':<11} ", subsequent_indent=" " * 12)
