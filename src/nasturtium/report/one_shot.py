"""The section on weight sharing: how the weights of the options moved while the supernet was trained."""

from collections.abc import Mapping, Sequence
from typing import Any

from nasturtium.report.content import ReportContent
from nasturtium.report.figures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    Figure,
    new_figure,
    plot_line,
    plot_points,
    plotly_text,
)
from nasturtium.report.markup import Html, element, joined, table
from nasturtium.space.describe import lasted

MOST = 40
"""Mixtures in the picture: those whose leading option gained most."""
BLUES = [[0, "#ffffff"], [0.5, "#8cc5e3"], [1, "#0b3c5d"]]


def words(content: ReportContent) -> Html:
    """What was trained and what was noticed."""
    trace = content.one_shot
    if not trace:
        return Html("")
    count, length = len(trace["derived"]), lasted(trace["passes"])
    told = (
        f"{trace['method']} trained one supernet for {length} on the training rows of the search, and derived {count} "
        f"architecture{'s' if count != 1 else ''}, which were to be trained alone like any other."
    )
    return joined(element("p", told), *(element("p", str(one), class_="caption") for one in trace["remarks"]))


def course(content: ReportContent) -> Figure | None:
    """Entropy of the weights and share of skip connections, epoch by epoch."""
    epochs = (content.one_shot or {}).get("epochs") or ()
    if len(epochs) < 2:
        return None
    across = list(range(1, len(epochs) + 1))
    lines = [plot_line("entropy (1: undecided)", across, [float(one["entropy"]) for one in epochs], BLUE)]
    skips = [one.get("skips") for one in epochs]
    if any(share is not None for share in skips):
        lines.append(plot_line("share of skip connections", across, skips, ORANGE, dash="dash"))
    top = max((float(one["eigenvalue"]) for one in epochs if one.get("eigenvalue")), default=0.0)
    if top:
        values = [None if one.get("eigenvalue") is None else one["eigenvalue"] / top for one in epochs]
        lines.append(plot_line(f"dominant eigenvalue / {top:.3g}", across, values, GREY, dash="dot"))
    figure = new_figure(lines, "epoch", "share")
    figure["layout"] |= {"height": 300}
    figure["layout"]["yaxis"] |= {"range": [-0.03, 1.03]}
    return figure


def weights(content: ReportContent) -> Figure | None:
    """For each mixture the weight, over the epochs, of the option that leads at the end."""
    trace = content.one_shot or {}
    epochs = trace.get("epochs") or ()
    if len(epochs) < 2:
        return None
    rows = sorted(_rows(trace["mixtures"], epochs), key=lambda row: row[1][-1] - row[1][0])[-MOST:]
    if not rows or max(abs(values[-1] - values[0]) for _, values in rows) < 1e-6:
        return None  # uniform paths: nothing is weighed while the supernet is trained
    heat = {
        "type": "heatmap",
        "z": [values for _, values in rows],
        "x": list(range(1, len(epochs) + 1)),
        "y": [plotly_text(name) for name, _ in rows],
        "zmin": 0,
        "zmax": 1,
        "colorscale": BLUES,
        "colorbar": {"title": {"text": "weight"}, "thickness": 12},
        "hovertemplate": "%{y}<br>epoch %{x}: %{z:.2f}<extra></extra>",
    }
    figure = new_figure([heat], "epoch", "")
    figure["layout"] |= {"height": 120 + 18 * len(rows)}
    figure["layout"]["yaxis"] |= {"tickfont": {"size": 11, "color": INK}, "tickmode": "array"}
    figure["layout"]["yaxis"] |= {"tickvals": heat["y"]}
    return figure


def _rows(mixtures: Sequence[Mapping[str, Any]], epochs: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[float]]]:
    found = []
    for place, mixture in enumerate(mixtures):
        last = epochs[-1]["weights"][place]
        if len(last) > 1:
            best = max(range(len(last)), key=last.__getitem__)
            name = f"{mixture['name']}: {mixture['options'][best]}"
            found.append((name, [float(one["weights"][place][best]) for one in epochs]))
    return found


def audit_words(content: ReportContent) -> Html:
    """Do inherited scores rank as those of networks trained alone? Or why that is not known."""
    audit = (content.one_shot or {}).get("audit")
    if not audit:
        return Html("")
    return joined(element("h3", "Can inherited scores be trusted?"), element("p", str(audit["sentence"])))


def audit_points(content: ReportContent) -> Figure | None:
    """Both scores of each architecture that was trained alone, apart for what was derived and what is random."""
    audit = (content.one_shot or {}).get("audit") or {}
    if not audit.get("correlation"):
        return None
    looks = {True: ("derived", BLUE, "circle"), False: ("random control", ORANGE, "diamond")}
    marks = []
    for derived, (name, colour, symbol) in looks.items():
        chosen = [one for one in audit["points"] if one["derived"] == derived]
        if chosen:
            x, y = ([float(one[key]) for one in chosen] for key in ("inherited", "alone"))
            marks.append(plot_points(name, x, y, colour, symbol, [f"trial {one['trial']}" for one in chosen]))
    return new_figure(marks, f"{content.metric}, inherited weights", f"{content.metric}, trained alone")


def derived_table(content: ReportContent) -> Html:
    """The first derived architecture, decision by decision."""
    derived = (content.one_shot or {}).get("derived") or ()
    if not derived:
        return Html("")
    rows = [[str(path), str(value)] for path, value in derived[0].items()]
    return joined(element("h3", "The most probable architecture"), table(["decision", "taken"], rows, ()))
