"""What score to expect before anything was trained: wide, and it says so; a pilot narrows it."""

from nasturtium.advisor.knowledge import Known
from nasturtium.advisor.plan import Estimate
from nasturtium.advisor.situation import Situation


def expectation(situation: Situation, known: Known | None) -> Estimate:
    """low: of guessing the commonest class. high: what the share of wrong labels leaves. Of other tasks: no numbers."""
    figures = published(known)[:1]
    elsewhere = f" Elsewhere: {figures[0]}." if figures else ""
    if situation.kind != "classification":
        how = "Nothing can be said of the score on this data before something was trained on it."
        return Estimate(None, None, None, "assumed", how + elsewhere)
    low, high = guessing(situation), ceiling(situation)
    how = f"Guessing gives {low:.2g}; how much better it gets on this data, only a training says.{elsewhere}"
    return Estimate(None, min(low, high), high, "assumed", how)


def guessing(situation: Situation) -> float:
    """Score of always answering the commonest class, with the other classes equally common."""
    classes, imbalance = int(situation.need.get("outputs")), float(situation.need.get("imbalance"))
    if situation.metric == "balanced-accuracy":
        return 1 / classes
    return imbalance / (imbalance + classes - 1)


def ceiling(situation: Situation) -> float:
    """Best accuracy that can be measured with so many wrong labels."""
    return 1.0 - float(situation.need.get("noise"))


def published(known: Known | None) -> tuple[str, ...]:
    """`99.05 accuracy on MNIST (LeCun et al. 1998)`, of each figure."""
    if known is None:
        return ()
    return tuple(f"{one.value:g} {one.metric} on {one.dataset} ({one.source})" for one in known.results)
