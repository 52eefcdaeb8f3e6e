"""The verdict in plain words: what was gained, at what cost, with what certainty, and what was assumed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nasturtium.protocol.statistics import Comparison, Interval, ResampledTest


@dataclass(frozen=True)
class Subject:
    """A model as the sentence names it. random: it came from the random control."""

    name: str
    costs: Mapping[str, float] = field(default_factory=dict)
    random: bool = False

    def __str__(self) -> str:
        marks = [f"{self.costs['params']:,.0f} params"] if "params" in self.costs else []
        marks += ["found by random sampling"] if self.random else []
        return f"{self.name} ({', '.join(marks)})" if marks else self.name


def only_sentence(network: Subject) -> str:
    """No baseline can ship."""
    return f"No baseline can ship, so the search's answer is {network}."


def better_sentence(network: Subject, against: Subject, test: ResampledTest, metric: str) -> str:
    """The network is better than the best baseline that can ship."""
    return (
        f"Search paid: {network} beats {against}, the best baseline that can ship, by {number(test.mean)} {metric} "
        f"on {test.resplits} fresh resplits ({_certainty(test)})."
    )


def cheaper_sentence(
    network: Subject, against: Subject, test: ResampledTest, metric: str, margin: float, limited: Sequence[str]
) -> str:
    """The network is about as good as the best baseline and much cheaper."""
    costs = [
        f"{network.costs[name]:,.6g} {name} instead of {against.costs[name]:,.6g}"
        for name in limited
        if name in network.costs and name in against.costs
    ]
    p_value, interval = number(test.exceeds(-margin)), _interval(test.low, test.high, test.confidence)
    return (
        f"Search paid in cost, not in {metric}: {network} needs {' and '.join(costs)}, and is worse than {against}, "
        f"the best baseline that can ship, by no more than {number(margin)} {metric} (one-sided p = {p_value}; "
        f"gain {_signed(test.mean)}, {interval})."
    )


def baseline_sentence(network: Subject | None, against: Subject, test: ResampledTest | None, metric: str) -> str:
    """The baseline ships: the search found nothing that is shown to be better."""
    if network is None or test is None:
        return f"Search did not pay: it found no network that can ship. The baseline {against} ships."
    missed = f" A true gain below {number(test.detectable())} would probably have been missed." if test.error else ""
    return (
        f"Search did not pay: {network} is not shown to be better than the baseline {against}, which ships (gain "
        f"{_signed(test.mean)} {metric} on {test.resplits} fresh resplits, {_certainty(test)}).{missed}"
    )


def barred_sentence(barred: Mapping[str, Sequence[str]]) -> str:
    """Baselines that were shown but could not ship, with the reasons; empty if there are none."""
    if not barred:
        return ""
    return "Not allowed to ship: " + "; ".join(f"{name} ({', '.join(why)})" for name, why in barred.items()) + "."


def opened_sentence(
    name: str, metric: str, score: Interval, against: str | None = None, difference: Comparison | None = None
) -> str:
    """What the sealed test set said of the choice, after the choice. difference: of the scores, choice minus other."""
    seeds = len(score.per_seed)
    said = (
        f"On the test set, opened after the choice, {name} scores {number(score.mean)} {metric} "
        f"({_interval(score.low, score.high)} over test rows and {seeds} {'seed' if seeds == 1 else 'seeds'}"
    )
    if against is None or difference is None:
        return said + ")."
    where = "above" if difference.difference > 0 else "below"
    apart = f"{number(abs(difference.difference))} {where}" if difference.difference else "equal to"
    return (
        f"{said}), {apart} {against} ({_interval(difference.low, difference.high)}, p = {number(difference.p_value)})."
    )


def cost_sentence(trials: int, seconds: float) -> str:
    """What the search took, and what everything above rests on."""
    return (
        f"The search took {trials:,} {'trial' if trials == 1 else 'trials'} and {seconds:,.0f} s. "
        "Assumed: new rows come from the same source as these."
    )


def number(value: float) -> str:
    """Three significant digits, without an exponent where people read none."""
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 0.9 else f"{value:.4g}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def _interval(low: float, high: float, confidence: float = 0.95) -> str:
    return f"{100 * confidence:.0f} % interval {number(low)} to {number(high)}"


def _certainty(test: ResampledTest) -> str:
    return f"{_interval(test.low, test.high, test.confidence)}, one-sided p = {number(test.p_better)}"
