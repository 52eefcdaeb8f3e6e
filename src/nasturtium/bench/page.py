"""The page of a bench: figures and anytime curves in one file that opens without a network."""

import json
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any

from nasturtium.bench.curves import Curve

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7b8794", "#1f2933")
"""Okabe and Ito's, and two greys."""
DASHES = ("solid", "dash", "dot", "dashdot")
STYLE = """
body { margin: 0; background: #f3f5f7; color: #1f2933; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
section { background: #fff; border: 1px solid #d9dfe5; border-radius: 8px; padding: 1rem 1.25rem; margin-top: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 0 0 0.75rem; } p { color: #52606d; }
pre { overflow-x: auto; font: 0.85rem/1.45 ui-monospace, monospace; margin: 0; }
.chart { height: 420px; }
"""
SCRIPT = """
document.querySelectorAll("script[data-chart]").forEach((held) => {
  const figure = JSON.parse(held.textContent);
  Plotly.newPlot(held.dataset.chart, figure.data, figure.layout, {responsive: true, displayModeBar: false});
});
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' blob:; img-src data: blob:"
AXES = {"queries": "queries", "seconds": "simulated time (s)", "epochs": "epochs trained"}


def page(title: str, text: str, curves: Sequence[Curve]) -> str:
    """The whole page. text: the tables as they stand in the terminal."""
    charts = "\n".join(_charts(curves))
    plotly = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8") if charts else ""
    return (
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n<section><pre>{escape(text)}</pre></section>\n{charts}\n"
        "<p>Made by Nasturtium. This page loads nothing from anywhere.</p>\n</main>\n"
        f"<script>{plotly}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _charts(curves: Sequence[Curve]) -> Iterator[str]:
    """A chart for each thing that a problem shows."""
    ordered = sorted(curves, key=_place)
    for number, (place, group) in enumerate(groupby(ordered, key=_place)):
        benchmark, protocol, problem, shown = place
        members = list(group)
        figure = {
            "data": [part for k, one in enumerate(members) for part in _traces(one, k)],
            "layout": _layout(members),
        }
        title = f"{benchmark}, {protocol}{f', {problem}' if problem else ''}: {shown} so far"
        held = json.dumps(figure, separators=(",", ":")).replace("<", "\\u003c")
        counts = sorted({one.n for one in members})
        searches = f"{counts[0]}{f' to {counts[-1]}' if len(counts) > 1 else ''} searches"
        words = f"Mean of {searches} and its 95 % interval, to where the last of them ended."
        yield (
            f'<section><h2>{escape(title)}</h2><div id="chart{number}" class="chart" role="img" '
            f'aria-label="{escape(title)}"></div><script type="application/json" data-chart="chart{number}">{held}'
            f"</script><p>{words}</p></section>"
        )


def _place(curve: Curve) -> tuple[str, str, str, str]:
    return curve.benchmark, curve.protocol, curve.problem, curve.shown


def _traces(curve: Curve, number: int) -> list[dict[str, Any]]:
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[(number // len(COLOURS)) % len(DASHES)]
    at = curve.at.tolist()
    edge = [*_rounded(curve.high), *reversed(_rounded(curve.low))]
    band = {
        "x": [*at, *reversed(at)],
        "y": edge,
        "fill": "toself",
        "fillcolor": colour,
        "opacity": 0.15,
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": curve.strategy,
    }
    line = {
        "x": at,
        "y": _rounded(curve.mean),
        "mode": "lines",
        "name": curve.strategy,
        "legendgroup": curve.strategy,
        "line": {"color": colour, "width": 2, "dash": dash},
    }
    return [band, line]


def _rounded(values: Any) -> list[float]:
    return [round(value, 5) for value in values.tolist()]


def _layout(members: Sequence[Curve]) -> dict[str, Any]:
    return {
        "margin": {"l": 60, "r": 15, "t": 10, "b": 45},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "xaxis": {"title": {"text": AXES[members[0].clock]}, "gridcolor": "#eceff2"},
        "yaxis": {"title": {"text": members[0].shown}, "gridcolor": "#eceff2"},
        "legend": {"orientation": "h", "y": 1.12},
    }
