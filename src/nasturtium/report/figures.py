"""The charts, as plain Plotly figures. Colours are Okabe and Ito's; shapes differ too, for print in grey."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any

import numpy as np

from nasturtium.pareto import fronts
from nasturtium.report.content import ReportContent
from nasturtium.report.numbers import SHARES, score

BLUE, ORANGE, RED, GREY, INK = "#0072B2", "#E69F00", "#D55E00", "#7b8794", "#1f2933"
Figure = dict[str, Any]
Trials = Sequence[Mapping[str, Any]]


def scored(content: ReportContent) -> list[Mapping[str, Any]]:
    """Trials that gave a finite score."""
    return [trial for trial in content.trials if _finite(trial.get("score"))]


def search_curve(content: ReportContent) -> Figure | None:
    """Every trial's score in the order of the trials, the best so far, and what random search would have reached."""
    trials = scored(content)
    if len(trials) < 2:
        return None
    numbers = [trial["number"] for trial in trials]
    scores = [float(trial["score"]) for trial in trials]
    best = np.maximum.accumulate(scores) if content.direction == "maximize" else np.minimum.accumulate(scores)
    curves = [_kinds(trials, "number", content)]
    lines = [plot_line("best so far", numbers, best.tolist(), BLUE, shape="hv")]
    if content.expected_random:
        expected = [float(value) for value in content.expected_random]
        lines.append(plot_line("random search, expected", list(range(len(expected))), expected, INK, dash="dot"))
    baseline = best_baseline(content)
    if baseline is not None:
        name, value = baseline
        across = [min(numbers), max(numbers)]
        lines.append(plot_line(f"best baseline ({name})", across, [value, value], RED, dash="dash"))
    figure = _figure([*curves[0], *lines], "trial", content)
    _focus(figure, scores, content)
    return figure


def front(content: ReportContent) -> Figure | None:
    """Scores against the second objective: trials, baselines, the front, what ships, and the limit."""
    trials = [trial for trial in scored(content) if _finite(_cost(trial, content.second))]
    if len(trials) < 2:
        return None
    sign = -1.0 if content.direction == "maximize" else 1.0
    losses = np.array([[sign * trial["score"], _cost(trial, content.second)] for trial in trials])
    members = sorted(
        (trials[k] for k in np.flatnonzero(fronts(losses) == 0)),
        key=lambda t: (_cost(t, content.second), sign * t["score"]),
    )
    across = [float(_cost(trial, content.second)) for trial in members]
    data = _kinds(trials, content.second, content)
    data.append(plot_line("front", across, [float(t["score"]) for t in members], BLUE, shape="hv"))
    data += _baseline_points(content)
    shipped = content.result.get("best") or {}
    value = (shipped.get("validation") or {}).get("mean")
    if _finite(value) and _finite(shipped.get(content.second)):
        data.append(
            plot_points("ships", [shipped[content.second]], [value], INK, "star", [shipped.get("name", "")], 15)
        )
    figure = _figure(data, content.second.replace("_", " "), content)
    figure["layout"]["xaxis"] |= {"type": "log"} | ({"dtick": 1} if max(across) > 30 * max(min(across), 1) else {})
    for limit in content.result.get("limits") or ():
        if limit.get("name") == content.second and _finite(limit.get("limit")):
            figure["layout"]["shapes"] = [_vertical(float(limit["limit"]))]
            figure["layout"]["annotations"] = [_note(float(np.log10(limit["limit"])), "limit")]
    _focus(figure, [float(trial["score"]) for trial in trials], content)
    return figure


def resplits(content: ReportContent) -> Figure | None:
    """The finalists' scores on each fresh resplit, and their means."""
    finalists = [one for one in content.result.get("finalists") or () if any(map(_finite, one.get("scores") or ()))]
    if not finalists:
        return None
    colours = {"found": BLUE, "baseline": RED, "random": ORANGE}
    data = []
    for one in reversed(finalists):
        values = [float(value) for value in one["scores"] if _finite(value)]
        name, colour = plotly_text(one["name"]), colours.get(one.get("role", ""), BLUE)
        data.append(plot_points(name, values, [name] * len(values), colour, "circle", [], 9))
        mean = sum(values) / len(values)
        data.append(plot_points("mean", [mean], [name], INK, "line-ns-open", [], 18))
    figure = _figure(data, content.metric, content)
    figure["layout"] |= {"showlegend": False, "height": 110 + 40 * len(finalists)}
    figure["layout"]["yaxis"] = {"automargin": True, "fixedrange": True}
    figure["layout"]["xaxis"] |= _ticks(content)
    return figure


def predictors(content: ReportContent) -> Figure | None:
    """Spearman of everything that is known of the trials before training, with intervals, best on top."""
    known = [one for one in (content.result.get("search") or {}).get("predictors") or () if _finite(one["spearman"])]
    if not known:
        return None
    looks = {"cost": (RED, "square"), "proxy": (ORANGE, "diamond"), "predictor": (BLUE, "circle")}
    kinds = [[one for one in known if one["kind"] == kind] for kind in looks]
    data = [_correlated(members, *looks[members[0]["kind"]]) for members in kinds if members]
    figure = _figure(data, "rank correlation (Spearman)", content)
    order = [plotly_text(one["name"]) for one in reversed(known)]
    figure["layout"] |= {"height": 120 + 22 * len(known), "shapes": []}
    figure["layout"]["yaxis"] = {"automargin": True, "fixedrange": True, "categoryorder": "array"}
    figure["layout"]["yaxis"] |= {"categoryarray": order, "tickmode": "array", "tickvals": order}
    figure["layout"]["xaxis"] |= {"range": [-1.02, 1.02], "zeroline": True, "zerolinecolor": GREY}
    base = [abs(one["spearman"]) for one in known if one["kind"] == "cost"]
    if base:
        figure["layout"]["shapes"] = [_vertical(max(base))]
        figure["layout"]["annotations"] = [_note(max(base), "to beat")]
    return figure


def best_baseline(content: ReportContent) -> tuple[str, float] | None:
    """Name and validation score of the best baseline that is within the limits."""
    sign = -1.0 if content.direction == "maximize" else 1.0
    able = [
        (str(one["name"]), float(one["validation"]["mean"]))
        for one in content.result.get("baselines") or ()
        if _finite((one.get("validation") or {}).get("mean")) and not one.get("over")
    ]
    return min(able, key=lambda pair: sign * pair[1]) if able else None


def to_json(figure: Figure) -> str:
    """JSON that can stand in a script element."""
    return json.dumps(figure, allow_nan=False).replace("<", "\\u003c").replace("\u2028", "").replace("\u2029", "")


def _cost(trial: Mapping[str, Any], name: str) -> Any:
    found = trial.get(name)
    return (trial.get("measures") or {}).get(name) if found is None else found


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value)


def plotly_text(name: object) -> str:
    """Plotly takes some tags in its texts."""
    return escape(str(name), quote=False)


def _kinds(trials: Trials, axis: str, content: ReportContent) -> list[Figure]:
    """Searched trials, the random control, and those that were ended early, each with a mark of its own."""
    groups: dict[str, list[Mapping[str, Any]]] = {"ended early": [], "random control": [], "searched": []}
    for trial in trials:
        kind = "random control" if trial.get("origin") == "random" else "searched"
        groups["ended early" if trial.get("state") == "stopped" else kind].append(trial)
    looks = {"ended early": (GREY, "x"), "random control": (ORANGE, "diamond"), "searched": (BLUE, "circle")}
    return [
        plot_points(
            kind,
            [_cost(trial, axis) for trial in members],
            [trial["score"] for trial in members],
            *looks[kind],
            [_label(trial, content) for trial in members],
        )
        for kind, members in groups.items()
        if members
    ]


def _label(trial: Mapping[str, Any], content: ReportContent) -> str:
    params = f"{trial['params']:,.0f} params" if _finite(trial.get("params")) else ""
    parts = [
        f"trial {trial['number']}",
        plotly_text(trial.get("origin", "")),
        score(trial["score"], content.metric),
        params,
    ]
    return ", ".join(part for part in parts if part)


def plot_points(
    name: str, x: list[Any], y: list[Any], colour: str, symbol: str, labels: list[str], size: int = 7
) -> Figure:
    """Marks without a line. labels: shown when one is pointed at; none shows the figures."""
    marker = {"color": colour, "symbol": symbol, "size": size, "opacity": 0.8, "line": {"width": 1, "color": colour}}
    hover = {"text": labels, "hovertemplate": "%{text}<extra></extra>"} if labels else {}
    return {"type": "scatter", "mode": "markers", "name": name, "x": x, "y": y, "marker": marker, **hover}


def plot_line(
    name: str, x: list[Any], y: Sequence[float | None], colour: str, dash: str = "solid", shape: str = "linear"
) -> Figure:
    """A line without marks."""
    line = {"color": colour, "width": 2, "dash": dash, "shape": shape}
    held = {"x": x, "y": list(y), "line": line, "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "lines", "name": plotly_text(name), **held}


def _correlated(known: Trials, colour: str, symbol: str) -> Figure:
    """Correlations of one kind of score."""
    kind = {"cost": "params and MACs", "proxy": "proxies", "predictor": "predictors"}[known[0]["kind"]]
    values = [float(one["spearman"]) for one in known]
    ends = [
        (value, value) if one.get("low") is None or one.get("high") is None else (one["low"], one["high"])
        for one, value in zip(known, values, strict=True)
    ]
    found = plot_points(kind, values, [plotly_text(one["name"]) for one in known], colour, symbol, [], 8)
    above = [high - value for (_, high), value in zip(ends, values, strict=True)]
    below = [value - low for (low, _), value in zip(ends, values, strict=True)]
    bars = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1.2, "width": 0}
    return {**found, "error_x": bars, "hovertemplate": "%{y}: %{x:.2f}<extra></extra>"}


def _baseline_points(content: ReportContent) -> list[Figure]:
    known = [
        one
        for one in content.result.get("baselines") or ()
        if _finite((one.get("validation") or {}).get("mean"))
        and _finite(one.get(content.second))
        and one[content.second]
    ]
    if not known:
        return []
    labels = [f"{plotly_text(one['name'])}, {score(one['validation']['mean'], content.metric)}" for one in known]
    x, y = [one[content.second] for one in known], [one["validation"]["mean"] for one in known]
    return [plot_points("baselines", x, y, RED, "square", labels, 9)]


def _figure(data: list[Figure], across: str, content: ReportContent) -> Figure:
    figure = new_figure(data, across, f"{content.metric} (validation)")
    figure["layout"]["yaxis"] |= _ticks(content)
    return figure


def new_figure(data: list[Figure], across: str, up: str) -> Figure:
    """A chart with our fonts and margins. across, up: titles of the axes."""
    axis = {"gridcolor": "#e4e7eb", "zeroline": False, "automargin": True}
    layout = {
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "height": 380,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {**axis, "title": {"text": across}},
        "yaxis": {**axis, "title": {"text": up}},
        "hovermode": "closest",
    }
    return {"data": data, "layout": layout}


def _ticks(content: ReportContent) -> Figure:
    return {"tickformat": ".1%"} if content.metric.replace("_", "-") in SHARES else {}


def _focus(figure: Figure, scores: list[float], content: ReportContent) -> None:
    """Show the better three quarters of the scores: a few failed trainings must not flatten the rest."""
    others = [value for trace in figure["data"] for value in trace["y"] if trace["mode"] == "lines" and _finite(value)]
    shown = sorted(scores, key=lambda value: -value if content.direction == "maximize" else value)
    kept = [*shown[: max(2, round(0.75 * len(shown)))], *others[-2:]]
    low, high = min(kept), max(kept)
    room = 0.08 * (high - low) or 0.02 * abs(high) or 1.0
    figure["layout"]["yaxis"]["range"] = [low - room, high + room]
    outside = sum(not low - room <= value <= high + room for value in scores)
    figure["outside"] = outside


def _vertical(x: float) -> Figure:
    line = {"color": INK, "width": 1.5, "dash": "dash"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _note(x: float, words: str) -> Figure:
    return {
        "x": x,
        "y": 1,
        "yref": "paper",
        "text": words,
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 4,
    }
