"""`report.html`: one file that opens without a network."""

import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from nasturtium.errors import RunError
from nasturtium.report import figures, head, one_shot, predicting, tables
from nasturtium.report.content import ReportContent
from nasturtium.report.diagram import draw
from nasturtium.report.markup import Cell, Html, caption, element, joined, section, text

WIDE, NARROW = 5, 2
"""Boxes a row of the diagram, on a desk and on a telephone."""
SCRIPT = """
const shown = {responsive: true, displayModeBar: false};
document.querySelectorAll("script[data-chart]").forEach((held) => {
  const figure = JSON.parse(held.textContent);
  Plotly.newPlot(held.dataset.chart, figure.data, figure.layout, shown);
});
"""
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' blob:; img-src data: blob:; "
    "worker-src blob:"
)
"""Nothing may be loaded or sent: the browser holds us to it."""


def write_report(path: Path, content: ReportContent) -> Path:
    """Write the page, whole or not at all. Raises `RunError` where the disk is full or read-only."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(page(content), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise RunError(f"The report cannot be written to {str(path)!r}: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def page(content: ReportContent) -> str:
    """The whole text of the page."""
    sections = _sections(content)
    body = element(
        "main",
        joined(
            head.heading(content),
            head.verdict(content),
            head.key_figures(content),
            caption(tables.seed_words(content)),
            _contents(sections),
            *(part for _, _, part in sections),
            element("footer", "Made by Nasturtium. This page loads nothing from anywhere."),
        ),
    )
    charts = "data-chart=" in str(body)
    script = f"<script>{_plotly()}</script>\n<script>{SCRIPT}</script>" if charts else ""
    return (
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(content.data)}: Nasturtium report</title>\n<style>\n{_file('style.css')}</style>\n</head>\n"
        f"<body>\n{body}\n{script}\n</body>\n</html>\n"
    )


def _sections(content: ReportContent) -> list[tuple[str, str, Html]]:
    """Title in the contents, anchor, and the part itself; empty ones are left out."""
    made = [
        ("Data", "data", tables.data_section(content)),
        ("Baselines", "baselines", tables.baseline_section(content)),
        ("Search", "search", _search(content)),
        ("Weight sharing", "sharing", _sharing(content)),
        ("Predictors", "predictors", _predictors(content)),
        ("Trade-off", "front", _front(content)),
        ("Network", "network", _network(content)),
        ("Limits", "limits", tables.limit_section(content)),
        ("Finalists", "finalists", _finalists(content)),
        ("Cost", "cost", tables.cost_section(content)),
        ("Notes", "notes", tables.note_section(content)),
        ("Files", "files", tables.file_section(content)),
        ("Repeat", "repeat", tables.replay_section(content)),
    ]
    return [entry for entry in made if str(entry[2])]


def _contents(sections: Sequence[tuple[str, str, Html]]) -> Html:
    links = [element("a", title, href=f"#{anchor}") for title, anchor, _ in sections]
    return element("nav", joined(*links), aria_label="Contents")


def _search(content: ReportContent) -> Html:
    figure = figures.search_curve(content)
    words = "Each mark is a trial; the control was drawn at random from the same space. "
    return section("Search", "search", _chart("curve", figure, words), tables.search_words(content))


def _sharing(content: ReportContent) -> Html:
    if not content.one_shot:
        return Html("")
    return section(
        "Weight sharing",
        "sharing",
        one_shot.words(content),
        _chart("sharing-course", one_shot.course(content), "Entropy of the weights, averaged over the mixtures."),
        _chart("sharing-weights", one_shot.weights(content), "Weight of the option that leads at the end."),
        one_shot.audit_words(content),
        _chart("sharing-audit", one_shot.audit_points(content), "Both on the validation rows of the search."),
        one_shot.derived_table(content),
    )


def _predictors(content: ReportContent) -> Html:
    words = "Right of the dashed line, trials are ranked better than by params and MACs. Bars: 95 % intervals."
    return section(
        "What predicts the score before training",
        "predictors",
        predicting.predictor_words(content),
        _chart("correlations", figures.predictors(content), words),
        predicting.predictor_table(content),
    )


def _front(content: ReportContent) -> Html:
    words = "Left and up is better." if content.direction == "maximize" else "Left and down is better."
    return section("Trade-off", "front", _chart("pareto", figures.front(content), words), tables.front_table(content))


def _network(content: ReportContent) -> Html:
    if not content.drawing:
        return Html("")
    wide, narrow = draw(content.drawing, WIDE), draw(content.drawing, NARROW)
    words = "Shapes are those of one row. The bar at the foot of a box is its share of all parameters."
    name = str(content.drawing.get("text") or content.drawing.get("name") or "")
    return section(
        "The network",
        "network",
        element("p", name) if name else "",
        element("div", Html(wide), class_="diagram wide"),
        element("div", Html(narrow), class_="diagram narrow"),
        caption(words),
    )


def _finalists(content: ReportContent) -> Html:
    words = (
        ""
        if not content.result.get("finalists")
        else "Trained again from scratch on fresh splits of the development rows."
    )
    return section(
        "Finalists",
        "finalists",
        tables.comparison_words(content),
        _chart("resplits", figures.resplits(content), words),
        tables.finalist_table(content),
        tables.test_words(content),
    )


def _chart(name: str, figure: figures.Figure | None, words: str) -> Cell:
    if figure is None:
        return ""
    outside = figure.pop("outside", 0)
    if outside:
        words += f" {outside} lower scores lie outside the part shown; a double click on the chart shows all."
    height = f"height: {figure['layout']['height']}px"
    held = Html(f'<script type="application/json" data-chart="{name}">{figures.to_json(figure)}</script>')
    return joined(element("div", id=name, class_="chart", style=height), held, caption(words.strip()))


def _plotly() -> str:
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def _file(name: str) -> str:
    return (files("nasturtium.report") / name).read_text(encoding="utf-8")
