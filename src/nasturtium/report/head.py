"""The top of the page: the verdict and the figures that people look for first."""

from collections.abc import Mapping
from typing import Any

from nasturtium.report.content import ReportContent
from nasturtium.report.markup import Cell, Html, element, joined
from nasturtium.report.numbers import amount, count, plural, score, significant


def verdict(content: ReportContent) -> Html:
    """What ships and why, in the sentence of the result."""
    label = "Verdict: the searched network ships" if content.result.get("verdict") == "search" else ""
    label = label or ("Verdict: a baseline ships" if content.result.get("verdict") == "baseline" else "Verdict")
    sentence = str(content.result.get("sentence") or "")
    return (
        element("div", element("p", label, class_="label"), element("p", sentence), class_="verdict")
        if sentence
        else Html("")
    )


def key_figures(content: ReportContent) -> Html:
    """Score with interval, parameters, multiply-accumulates, latency, size, limits: those that are known."""
    best: Mapping[str, Any] = content.result.get("best") or {}
    figures = [
        _score(best.get("test"), "test", content),
        _score(best.get("validation"), "validation", content) if not (best.get("test") or {}).get("mean") else Html(""),
        _figure("parameters", count(best["params"]), "") if best.get("params") is not None else Html(""),
        _figure("MACs", count(best["macs"]), "multiply-accumulates, one row") if best.get("macs") else Html(""),
        _latency(best.get("latency_ms")),
        _figure("file", amount("size", best["size"]), "model.onnx") if best.get("size") else Html(""),
        _limits(content),
    ]
    kept = [figure for figure in figures if str(figure)]
    return element("div", *kept, class_="figures") if kept else Html("")


def _figure(name: str, value: Cell, more: Cell) -> Html:
    parts = [element("div", name, class_="name"), element("div", value, class_="value")]
    return element("div", *parts, *([element("div", more, class_="more")] if str(more) else []), class_="figure")


def _score(held: Mapping[str, Any] | None, rows: str, content: ReportContent) -> Html:
    if not held or held.get("mean") is None:
        return Html("")
    metric = held.get("metric") or content.metric
    return _figure(f"{rows} {metric}", score(held["mean"], metric), interval(held, metric))


def interval(held: Mapping[str, Any], metric: str) -> str:
    """`98.40 to 99.30 %`, or nothing."""
    if held.get("low") is None or held.get("high") is None:
        return ""
    low, high = score(held["low"], metric), score(held["high"], metric)
    return f"{low.removesuffix(' %')} to {high}"


def _latency(held: Mapping[str, Any] | None) -> Html:
    if not held:
        return Html("")
    more = f"p95 {significant(held['p95'], 3)} ms" if held.get("p95") is not None else "one row, one thread"
    return _figure("latency, p50", f"{significant(held['p50'], 3)} ms", more)


def _limits(content: ReportContent) -> Html:
    limits = content.result.get("limits") or ()
    if not limits:
        return Html("")
    broken = [each for each in limits if not each.get("ok")]
    names = ", ".join(str(each["name"]) for each in (broken or limits))
    return _figure("limits", verdict_mark(not broken), f"{plural(len(limits), 'limit')}: {names}")


def verdict_mark(ok: bool, good: str = "met", bad: str = "not met") -> Html:
    """A sign and a word, so that colour is not needed."""
    return element("span", f"✓ {good}" if ok else f"✗ {bad}", class_="good" if ok else "bad")


def heading(content: ReportContent) -> Html:
    made = element("p", "Nasturtium report", class_="made")
    return element("header", joined(made, element("h1", content.data)))
