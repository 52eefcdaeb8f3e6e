"""The page: whole, safe, and complete as far as its content goes. Oracles: the standard library's parsers."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from nasturtium.errors import RunError
from nasturtium.report import ReportContent, figures, summary_lines, write_report
from nasturtium.report.diagram import draw
from nasturtium.report.page import page

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Tags in balance, the texts of headings and cells, scripts, and every address that is referred to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.addresses: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        assert not self.stack, self.stack

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for key, value in attributes if key in ("src", "href", "action", "data")]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack:
            self.texts.setdefault(self.stack[-1], []).append(data)


@pytest.fixture(scope="module")
def empty() -> ReportContent:
    return ReportContent("nothing", "rmse", "minimize", {})


def test_every_part_is_on_the_full_page_and_nothing_is_loaded(content):
    outline = Outline(page(content))
    assert outline.texts["h2"] == ["Data", "Baselines", "Search", "What predicts the score before training",
                                   "Trade-off", "The network", "Limits", "Finalists", "Cost",
                                   "Assumptions and warnings", "Files", "How to repeat it"]  # fmt: skip
    assert all(address.startswith("#") for address in outline.addresses)
    own = [script for script in outline.texts["script"] if "plotly.js v" not in script]
    assert len(own) == len(outline.texts["script"]) - 1
    assert not any(word in "".join(own) for word in ("http:", "https:", "//cdn"))


def test_names_from_the_data_stay_text(content):
    text = page(replace(content, data="<b>digits</b>", command="a && <script>"))
    assert "alert(" in text
    assert "<script>alert" not in text
    assert "<b>digits" not in text
    outline = Outline(text)
    assert '</script><script>alert("x")</script>' in outline.texts["td"]
    charts = [json.loads(script) for script in outline.texts["script"] if script.startswith('{"data"')]
    assert [len(chart["data"]) > 0 for chart in charts] == [True, True, True, True]


def test_absent_parts_are_left_out(content, empty):
    outline = Outline(page(empty))
    assert "h2" not in outline.texts
    assert "script" not in outline.texts
    assert outline.texts["h1"] == ["nothing"]
    for name in ("best", "found", "control", "comparison", "search", "limits", "baselines", "finalists"):
        Outline(page(replace(content, result={**content.result, name: None})))
    Outline(page(replace(content, trials=[], profile={}, profile_lines=[], space_lines=[], drawing=None)))


def test_the_page_is_written_whole(content, tmp_path):
    path = write_report(tmp_path / "report.html", content)
    assert path.read_text().startswith("<!doctype html>")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(RunError, match=r"The report cannot be written to '.*missing/report\.html': No such file"):
        write_report(tmp_path / "missing" / "report.html", content)


def test_the_front_holds_exactly_the_trials_that_no_other_beats(content):
    trials = [trial for trial in content.trials if trial["score"] is not None]
    beaten = [
        any(
            b["score"] >= a["score"]
            and b["params"] <= a["params"]
            and (b["score"], b["params"]) != (a["score"], a["params"])
            for b in trials
        )
        for a in trials
    ]
    expected = sorted((t["params"], t["score"]) for t, worse in zip(trials, beaten, strict=True) if not worse)
    front = next(trace for trace in figures.front(content)["data"] if trace["name"] == "front")
    assert list(zip(front["x"], front["y"], strict=True)) == expected


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_best_so_far_never_worsens_and_skips_what_failed(content, direction):
    curve = figures.search_curve(replace(content, direction=direction))
    best = next(trace for trace in curve["data"] if trace["name"] == "best so far")["y"]
    scores = [trial["score"] for trial in content.trials if trial["score"] is not None]
    running = np.maximum.accumulate(scores) if direction == "maximize" else np.minimum.accumulate(scores)
    assert best == running.tolist()


def test_odd_scores_do_not_break_the_charts(content):
    odd = [
        dict(trial, score=value) for trial, value in zip(content.trials, [float("nan"), None, 0.5, 0.5], strict=False)
    ]
    held = replace(content, trials=odd, result={})
    assert figures.search_curve(replace(held, trials=odd[:3])) is None
    json.loads(figures.to_json(figures.search_curve(held)))
    json.loads(figures.to_json(figures.front(held)))


def test_predictors_stand_in_the_order_of_their_correlation_with_params_and_macs_marked(content):
    text = page(content)
    outline = Outline(text)
    names = [cell for cell in outline.texts["td"] if cell in ("gp", "zico", "params", "macs", "plain")]
    assert names[:5] == ["gp", "zico", "params", "macs", "plain"]
    assert re.findall(r'<tr class="marked"><td>(params|macs)</td>', text) == ["params", "macs"]
    for words in ("−0.07", "0.51 to 0.86", "gp (0.71) ranks these 40 trials better than params (0.52) does."):
        assert words in text
    assert "Left out: epe_nas (It needs classes)." in text
    figure = json.loads(figures.to_json(figures.predictors(content)))
    assert figure["layout"]["yaxis"]["categoryarray"] == ["plain", "graph-network", "macs", "params", "zico", "gp"]
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [0.52]
    bars = next(trace for trace in figure["data"] if trace["name"] == "predictors")
    assert bars["x"] == [0.71, 0.31]
    assert np.allclose(bars["error_x"]["array"], 0.15)
    assert np.allclose(bars["error_x"]["arrayminus"], 0.2)


def test_too_few_trials_leave_their_sentence_alone(content):
    few = {"predictors": [], "audit": {"sentence": "4 trials are too few.", "left_out": {}}}
    held = replace(content, result={**content.result, "search": few})
    assert figures.predictors(held) is None
    assert "4 trials are too few." in page(held)
    assert "beats params" not in page(held)


def test_a_baseline_over_a_limit_is_not_the_line_to_beat(content):
    assert figures.best_baseline(content) == ("resnet8", 0.9889)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_the_diagram_is_sound_and_wraps(content, columns):
    root = ElementTree.fromstring(draw(content.drawing, columns))
    space = "{http://www.w3.org/2000/svg}"
    words = [node.text for node in root.iter(f"{space}text")]
    for name in ("input", "stem", "stage1", "stage2", "mbconv0", "residual1", "head", "→ 24 × 8 × 8", "3,400 params"):
        assert name in words
    frames = [node for node in root.iter(f"{space}rect") if node.get("stroke")]
    assert len(frames) == 8
    assert len({node.get("y") for node in frames}) == -(-8 // columns)
    width, height = map(float, root.get("viewBox").split()[2:])
    assert all(float(node.get("x")) + float(node.get("width")) <= width for node in frames)
    assert all(float(node.get("y")) + float(node.get("height")) <= height for node in frames)


def test_a_very_long_network_is_cut_and_says_so():
    parts = [{"name": f"block{k}", "params": 1} for k in range(150)]
    assert "30 more parts" in draw({"name": "deep", "params": 150, "parts": parts}, 5)


def test_names_in_the_diagram_are_escaped():
    assert "<script>" not in draw({"name": "<script>", "text": "<script>", "params": 3}, 2)


def test_the_summary_fits_a_terminal_of_80_columns(content):
    lines = summary_lines(content.result, "runs/digits")
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "* found network                 18,212      99.44 %  99.11 % (98.31 to 99.51)" in text
    assert re.search(r"svc +81,034 +98\.89 % +over params", text)
    assert "size 81.2 KB of 60 KB (measured): NOT MET" in text
    assert "64 trials, 3 failed, 2 min 52 s in all, seed 0" in text
    assert "Spearman    best gp 0.71, params 0.52, macs 0.44; 1 of 5 useful" in lines
    assert "runs/digits/report.html" in text


def test_a_baseline_that_ships_is_marked_in_the_summary(content):
    shipped = next(one for one in content.result["baselines"] if one["name"] == "resnet8")
    lines = summary_lines({**content.result, "verdict": "baseline", "best": shipped})
    assert sum(line.startswith("* ") for line in lines) == 1
    assert any(line.startswith("* resnet8") for line in lines)
    assert any(line.startswith("  found network") for line in lines)
