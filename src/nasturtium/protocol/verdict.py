"""The choice among the finalists and the sentence that says why: pure functions on their scores on fresh resplits.

A network that the search found ships by one of three routes, tried in this order:

1. "only": no baseline can ship, each being over a limit of the user's (or having failed).
2. "better": the corrected resampled t-test puts it above the best baseline that can ship, one-sided.
3. "cheaper": it costs at most half in something that the user limited (and no more in anything limited), and the same
   test puts it above the baseline less a margin, a tenth of the baseline's distance from a perfect score.

Otherwise search did not pay and the baseline ships. Of two baselines the one with fewer parameters ships, unless the
other is better by more than one standard error of the difference (the one-standard-error rule, Breiman et al. 1984: on
few rows no test tells two models apart, and the smallest would ship however bad it looks). Against a linear model,
which people can read, the other must be really better, by the same test as above. A network must be better than both
baselines, or cheaper than both.

The scores that chose the finalists are not used: the best of many noisy scores is flattered (the winner's curse), so
all are scored afresh. Several networks are tested in the order given and the first failure ends the tests, which bounds
the chance of any false claim by alpha without a share for each (fixed-sequence testing: Maurer, Hothorn & Lehmacher
1995; Westfall & Krishen 2001). The best baseline is the one that looks best on the same resplits, which favours the
baseline.

Tests are made at 4 %, so that at most 5 of 100 studies claim a gain that is not there. The rest is kept for what is
left of the winner's curse, since a quarter of a resplit's rows are those that the search chose on: at 5 %, search won
up to 5.6 % of 1,000 simulated studies in which nothing was better. `benchmarks/honesty.py` measures it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

import numpy as np

from nasturtium.errors import RunError
from nasturtium.protocol.statistics import ResampledTest, holm, resampled_t_test
from nasturtium.protocol.wording import (
    Subject,
    barred_sentence,
    baseline_sentence,
    better_sentence,
    cheaper_sentence,
    only_sentence,
)

Role = Literal["found", "baseline", "random"]
Reason = Literal["only", "better", "cheaper", "not better"]


@dataclass(frozen=True)
class Finalist:
    """A candidate and its score on each resplit, in the metric's own unit; a failed training is NaN.

    role: "found" (best searched), "random" (best of the random control) or "baseline".
    costs: by name, such as params. violations: limits that it breaks, in words; it is shown, never shipped.
    linear: is it a linear model?
    """

    name: str
    role: Role
    scores: tuple[float, ...]
    costs: Mapping[str, float] = field(default_factory=dict)
    violations: tuple[str, ...] = ()
    linear: bool = False

    @property
    def mean(self) -> float:
        return float(np.mean(self.scores))

    @property
    def can_ship(self) -> bool:
        return not self.violations and bool(np.isfinite(self.scores).all())


@dataclass(frozen=True)
class Setting:
    """What the scores mean and how they were made.

    metric, direction: of the scores. share: the metric is a share of rows (accuracy and its kin).
    train_rows, score_rows: of each resplit. limited: costs that the user limited.
    alpha: level of the one-sided tests. margin: of route 3, as a share of the baseline's distance from `best_possible`.
    cheaper: route 3 needs at most this share of the baseline's cost.
    """

    metric: str
    direction: Literal["maximize", "minimize"]
    train_rows: int
    score_rows: int
    share: bool = False
    limited: tuple[str, ...] = ()
    best_possible: float | None = None
    alpha: float = 0.04
    margin: float = 0.1
    cheaper: float = 0.5

    @property
    def perfect(self) -> float:
        """The best score there is: 1 for what is maximised, 0 for what is minimised, unless stated."""
        if self.best_possible is not None:
            return self.best_possible
        return 1.0 if self.direction == "maximize" else 0.0


@dataclass(frozen=True)
class Versus:
    """The chosen or best network against another finalist; gains are positive where the network is better.

    adjusted: two-sided p-value after Holm's correction for all the comparisons listed.
    """

    network: str
    other: str
    test: ResampledTest
    adjusted: float


@dataclass(frozen=True)
class Decision:
    """choice: what ships. network: the network that was judged, None if none could ship.

    against: the baseline that ships if the network does not: the simplest of those that it is not shown to beat; the
    best of all if it beats them. test: network against it. comparisons: network against every finalist
    that trained, those over a limit included. sentence: the verdict in plain words.
    """

    choice: Finalist
    verdict: Literal["search", "baseline"]
    reason: Reason
    network: Finalist | None
    against: Finalist | None
    test: ResampledTest | None
    comparisons: tuple[Versus, ...]
    sentence: str


def decide(finalists: Sequence[Finalist], setting: Setting) -> Decision:
    """Choose what ships. Networks ("found", "random") are tested in the order given.

    Raises `RunError` if nothing can ship.
    """
    networks = [one for one in finalists if one.role != "baseline" and one.can_ship]
    baselines = [one for one in finalists if one.role == "baseline" and one.can_ship]
    if not networks and not baselines:
        raise RunError(_nothing(finalists))
    rivals = _rivals(baselines, setting)
    choice, reason = _choose(networks, rivals, setting)
    network = choice if choice.role != "baseline" else (networks[0] if networks else None)
    against = choice if choice.role == "baseline" else rivals[-1] if rivals else None
    test = _test(network, against, setting) if network and against else None
    comparisons = _compare_all(network, finalists, setting) if network else ()
    verdict: Literal["search", "baseline"] = "baseline" if choice.role == "baseline" else "search"
    barred = {one.name: one.violations for one in finalists if one.role == "baseline" and one.violations}
    said = " ".join(filter(None, [_sentence(choice, reason, network, against, setting), barred_sentence(barred)]))
    return Decision(choice, verdict, reason, network, against, test, comparisons, said)


def _rivals(baselines: Sequence[Finalist], setting: Setting) -> list[Finalist]:
    """Baselines that a network must beat, in this order: the cheapest of those that are about as good as the best, and
    the best itself."""
    if not baselines:
        return []
    best = _best(baselines, setting)
    cheaper = [one for one in baselines if _params(one) < _params(best)]
    equal = [one for one in cheaper if _about_as_good(one, best, setting)]
    return [*([min(equal, key=_params)] if equal else []), best]


def _about_as_good(one: Finalist, best: Finalist, setting: Setting) -> bool:
    """Within one standard error of the difference, corrected as in the test; a linear model: not shown to be worse."""
    test = _test(best, one, setting)
    return test.mean <= test.error or (one.linear and test.p_better > setting.alpha)


def _params(finalist: Finalist) -> float:
    return finalist.costs.get("params", inf)


def _choose(networks: list[Finalist], rivals: list[Finalist], setting: Setting) -> tuple[Finalist, Reason]:
    if not rivals:
        return _best(networks, setting), "only"

    def not_better(network: Finalist) -> float:
        return max(_test(network, one, setting).p_better for one in rivals)

    def worse(network: Finalist) -> float:
        return max(_test(network, one, setting).exceeds(-_margin(one, setting)) for one in rivals)

    better = _leading(networks, not_better, setting)
    if better:
        return _best(better, setting), "better"
    cheap = [one for one in networks if all(_much_cheaper(one, rival, setting) for rival in rivals)]
    enough = _leading(cheap, worse, setting)
    if enough:
        return _best(enough, setting), "cheaper"
    if not networks:
        return rivals[0], "not better"
    unbeaten = (one for one in rivals if _test(networks[0], one, setting).p_better > setting.alpha)
    return next(unbeaten, rivals[-1]), "not better"


def _leading(networks: list[Finalist], p_value: Callable[[Finalist], float], setting: Setting) -> list[Finalist]:
    """Those before the first whose p-value is above alpha."""
    passed = []
    for one in networks:
        if p_value(one) > setting.alpha:
            break
        passed.append(one)
    return passed


def _much_cheaper(network: Finalist, baseline: Finalist, setting: Setting) -> bool:
    known = [name for name in setting.limited if name in network.costs and name in baseline.costs]
    pairs = [(network.costs[name], baseline.costs[name]) for name in known]
    never_dearer = all(ours <= theirs for ours, theirs in pairs)
    return never_dearer and any(ours <= setting.cheaper * theirs for ours, theirs in pairs)


def _margin(baseline: Finalist, setting: Setting) -> float:
    """How much worse than the baseline a much cheaper network may be."""
    return setting.margin * abs(setting.perfect - baseline.mean)


def _best(finalists: Sequence[Finalist], setting: Setting) -> Finalist:
    """The best mean score; the earlier of equals."""
    sign = 1.0 if setting.direction == "maximize" else -1.0
    return max(finalists, key=lambda one: sign * one.mean)


def _test(network: Finalist, other: Finalist, setting: Setting) -> ResampledTest:
    sign = 1.0 if setting.direction == "maximize" else -1.0
    gains = sign * (np.asarray(network.scores) - np.asarray(other.scores))
    return resampled_t_test(gains, train_rows=setting.train_rows, score_rows=setting.score_rows, share=setting.share)


def _compare_all(network: Finalist, finalists: Sequence[Finalist], setting: Setting) -> tuple[Versus, ...]:
    others = [one for one in finalists if one is not network and np.isfinite(one.scores).all()]
    tests = [_test(network, other, setting) for other in others]
    adjusted = holm([test.p_value for test in tests])
    return tuple(
        Versus(network.name, other.name, test, value)
        for other, test, value in zip(others, tests, adjusted, strict=True)
    )


def _sentence(
    choice: Finalist, reason: Reason, rival: Finalist | None, against: Finalist | None, setting: Setting
) -> str:
    """rival: the network that was judged. against: the best baseline that can ship."""
    if against is None:
        return only_sentence(_subject(choice))
    if rival is None:
        return baseline_sentence(None, _subject(against), None, setting.metric)
    ours, theirs, test = _subject(rival), _subject(against), _test(rival, against, setting)
    if reason == "better":
        return better_sentence(ours, theirs, test, setting.metric)
    if reason == "cheaper":
        return cheaper_sentence(ours, theirs, test, setting.metric, _margin(against, setting), setting.limited)
    return baseline_sentence(ours, theirs, test, setting.metric)


def _subject(finalist: Finalist) -> Subject:
    return Subject(finalist.name, finalist.costs, finalist.role == "random")


def _nothing(finalists: Sequence[Finalist]) -> str:
    reasons = [f"{one.name} ({', '.join(one.violations) or 'a training failed'})" for one in finalists]
    return f"No finalist can ship: {'; '.join(reasons) or 'there is none'}. Relax a limit or give more budget."
