"""The section on what ranks the trials before they are trained."""

from collections.abc import Mapping
from typing import Any

from nasturtium.report.content import ReportContent
from nasturtium.report.markup import Cell, Html, caption, element, joined, table
from nasturtium.report.numbers import UNKNOWN, correlation, duration

KINDS = {"cost": "counted", "proxy": "proxy", "predictor": "predictor"}


def predictor_words(content: ReportContent) -> Html:
    """What the table comes to, in a sentence."""
    sentence = _audit(content).get("sentence")
    return element("p", str(sentence)) if sentence else Html("")


def predictor_table(content: ReportContent) -> Html:
    """Costs, proxies and predictors, best Spearman first; params and MACs are marked."""
    known = (content.result.get("search") or {}).get("predictors") or ()
    rows: list[list[Cell]] = [
        [
            str(one["name"]),
            KINDS.get(str(one.get("kind")), str(one.get("kind"))),
            correlation(one.get("spearman")),
            _interval(one),
            f"{one['n']:,}",
            duration(one.get("seconds")) if one.get("kind") != "cost" else "none",
            "" if one.get("kind") == "cost" else "yes" if one.get("useful") else "no",
        ]
        for one in known
    ]
    marked = [place for place, one in enumerate(known) if one.get("kind") == "cost"]
    head = ["score", "how it is known", "Spearman", "95 % interval", "trials", "time", "beats params and MACs"]
    return joined(table(head, rows, (2, 3, 4, 5), marked), _how(content) if rows else "")


def _interval(one: Mapping[str, Any]) -> str:
    if one.get("low") is None or one.get("high") is None:
        return UNKNOWN
    return f"{correlation(one['low'])} to {correlation(one['high'])}"


def _how(content: ReportContent) -> Html:
    audit = _audit(content)
    rows = f"{audit['rows']:,} training rows" if audit.get("rows") else "training rows"
    words = [
        f"Over fully trained trials. Proxies looked at the untrained networks with {rows}; predictors were fitted to "
        "four fifths of the trials and asked about the rest. A score beats params and MACs if it ranks better than "
        "both, whichever way these rank, in nine of ten bootstrap samples of the trials. The search did not use the "
        "proxies."
    ]
    reasons: dict[str, list[str]] = {}
    for name, reason in (audit.get("left_out") or {}).items():
        reasons.setdefault(str(reason).rstrip("."), []).append(str(name))
    words += [f"Left out: {', '.join(names)} ({reason})." for reason, names in reasons.items()]
    return caption(" ".join(words))


def _audit(content: ReportContent) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (content.result.get("search") or {}).get("audit") or {}
    return found
