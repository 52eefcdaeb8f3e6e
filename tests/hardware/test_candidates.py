"""Candidates within limits: uniform where that finds some, directed where not, and a plain refusal."""

import numpy as np
import pytest

from nasturtium.blocks import Dense, Head, sequence
from nasturtium.errors import LimitError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits, check_space
from nasturtium.hardware import candidates as limited
from nasturtium.hardware.walk import minimiser
from nasturtium.roles import Candidates
from nasturtium.space import Space, choice, integer
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro, nasbench201, tabular

DIGITS = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy")
VECTOR = Task("classification", Signal("vector", (50,)), 2, "accuracy")


@pytest.fixture(scope="module")
def digits() -> Space:
    return conv_macro(DIGITS, max_params=2e4)


def candidates(space: Space, limits: Limits) -> LimitedCandidates:
    return LimitedCandidates(space, CostModel(space), limits)


def test_samples_are_feasible_and_repeat_with_the_seed(digits: Space) -> None:
    limits = Limits.parse(params="5k", memory="16KB")
    some: Candidates = candidates(digits, limits)
    first = [some.sample(np.random.default_rng(seed)) for seed in range(20)]
    again = [candidates(digits, limits).sample(np.random.default_rng(seed)) for seed in range(20)]
    assert first == again
    model = CostModel(digits)
    assert all(not limits.check(model(architecture)) for architecture in first)
    assert all(some.feasible(architecture) for architecture in first)
    assert len(set(first)) > 15


def test_what_was_asked_before_does_not_matter(digits: Space) -> None:
    for space, limits in ((digits, Limits.parse(params="5k")), (needle(), Limits(params=200))):
        used = candidates(space, limits)
        for seed in range(5):
            used.sample(np.random.default_rng(seed))
        assert used.sample(np.random.default_rng(9)) == candidates(space, limits).sample(np.random.default_rng(9))


def test_samples_are_uniform_over_the_feasible_architectures() -> None:
    space = Space(sequence(one=Dense(choice(1, 2, 3, 40)), two=Dense(choice(1, 2, 30)), head=Head(VECTOR)), VECTOR)
    some = candidates(space, Limits(params=200))
    rng = np.random.default_rng(0)
    counts: dict[str, int] = {}
    for _ in range(1200):
        architecture = some.sample(rng)
        counts[architecture.arch_id] = counts.get(architecture.arch_id, 0) + 1
    feasible = [a for a in space.enumerate() if some.feasible(a)]
    assert set(counts) == {a.arch_id for a in feasible}
    expected = 1200 / len(counts)
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 25  # chi-square, 8 degrees: p > 0.001


def test_an_impossible_limit_is_refused_with_the_least_value_and_the_mend(digits: Space) -> None:
    least = CostModel(digits).bounds(names=("params",)).low["params"]  # type: ignore[union-attr]
    with pytest.raises(LimitError) as caught:
        candidates(digits, Limits.parse(params="100"))
    message = str(caught.value)
    assert message.startswith("No architecture of the space 'conv-macro' meets the limit of 100 params")
    assert f"the least possible is {least:,}" in message
    assert "Raise the limit to" in message


def test_the_suggested_limit_can_be_met(digits: Space) -> None:
    for name, amount in (("macs", "10"), ("memory", "100"), ("size", "1KB")):
        with pytest.raises(LimitError, match="the least possible is") as caught:
            candidates(digits, Limits.parse(**{name: amount}))
        suggested = str(caught.value).split("Raise the limit to ")[1].split(" or more")[0]
        some = candidates(digits, Limits.parse(**{name: suggested}))
        assert some.feasible(some.sample(np.random.default_rng(0)))


def test_the_minimiser_reaches_the_bound(digits: Space) -> None:
    model = CostModel(digits)
    for name in ("params", "macs"):
        assert model(minimiser(model, name))[name] == model.bounds(names=(name,)).low[name]  # type: ignore[union-attr]


def needle() -> Space:
    """Widths of which few in 400 are feasible at each of four places: uniform samples never are."""
    layers = {f"layer{place}": Dense(integer(2, 800, 2)) for place in range(4)}
    return Space(sequence(**layers, head=Head(VECTOR)), VECTOR)


def test_limits_that_no_sample_meets_are_met_by_a_directed_search() -> None:
    space = needle()
    some = candidates(space, Limits(params=200))
    found = {some.sample(np.random.default_rng(seed)) for seed in range(8)}
    assert all(some.feasible(architecture) for architecture in found)
    assert len(found) > 1


def test_limits_that_exclude_each_other_are_named_together() -> None:
    # A wide first layer costs params, a deep table costs nothing: force a conflict between the file and the params.
    space = Space(sequence(one=Dense(choice(1, 64)), two=Dense(choice(1, 64)), head=Head(VECTOR)), VECTOR)
    model = CostModel(space)
    least = {name: model.bounds().low[name] for name in ("params", "memory")}  # type: ignore[union-attr]
    some = LimitedCandidates(space, model, Limits(params=least["params"], memory=least["memory"]))
    assert some.feasible(some.sample(np.random.default_rng(0)))
    conflict = Space(sequence(body=choice(small=_few_params(), thin=_few_macs()), head=Head(DIGITS)), DIGITS)
    costs = [CostModel(conflict)(architecture) for architecture in conflict.enumerate()]
    params, macs = min(one["params"] for one in costs), min(one["macs"] for one in costs)
    with pytest.raises(LimitError, match=r"that meets params .* and macs .* together\. Nearest: params"):
        candidates(conflict, Limits(params=params, macs=macs)).sample(np.random.default_rng(0))


def _few_params() -> object:
    from nasturtium.blocks import ConvBN

    return ConvBN(2, 3)


def _few_macs() -> object:
    from nasturtium.blocks import Embed

    return sequence(flat=Embed(), one=Dense(1, norm="none"))


def test_limits_on_a_space_without_blocks_are_refused_and_no_limits_are_fine() -> None:
    space = Space((choice(1, 2), integer(1, 9)), None, "numbers")
    some = LimitedCandidates(space, None, Limits.parse(latency="2ms"))
    assert some.feasible(some.sample(np.random.default_rng(0)))
    assert set(some.features(space.sample(0))) == {"encoding"}
    with pytest.raises(LimitError, match="limit on params cannot be checked: the root of the space 'numbers' is not"):
        LimitedCandidates(space, None, Limits.parse(params="2k"))


def test_features_hold_the_encoding_and_log_costs(digits: Space) -> None:
    some = candidates(digits, Limits())
    sampled = digits.sample(0)
    features = some.features(sampled)
    assert np.array_equal(features["encoding"], digits.encoding.rows([digits.codes(sampled)])[0])
    assert np.allclose(features["costs"], np.log1p(list(CostModel(digits).sums(digits.codes(sampled)).values())))


def test_features_are_worked_out_when_they_are_asked_for_and_not_before(
    digits: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = candidates(digits, Limits()).features(digits.sample(0))
    worked_out = 0

    def counting(*given: object) -> np.ndarray:
        nonlocal worked_out
        worked_out += 1
        return np.zeros(1)

    monkeypatch.setattr(limited, "graph_features", counting)
    assert "graph" in features
    assert "wl" not in features
    assert worked_out == 0
    assert np.array_equal(features["graph"], np.zeros(1))
    assert worked_out == 1


def test_features_of_cells_are_there_where_a_space_has_cells(digits: Space) -> None:
    task = Task("classification", Signal("image", (3, 8, 8)), 10, "accuracy")
    space = nasbench201(task, cells=1)
    some = candidates(space, Limits())
    features = some.features(space.sample(3))
    assert set(features) == {"encoding", "costs", "graph", "paths", "wl"}
    assert len(features) == 5
    assert {group: vector.shape for group, vector in features.items()} == {
        group: vector.shape for group, vector in some.features(space.sample(4)).items()
    }
    assert set(candidates(digits, Limits()).features(digits.sample(0))) == {"encoding", "costs", "graph"}


def test_a_small_space_is_listed_once_for_each_network_within_the_limits() -> None:
    space = Space(sequence(one=Dense(choice(2, 8, 5000)), two=Dense(choice(4, 5)), head=Head(VECTOR)), VECTOR)
    some = candidates(space, Limits.parse(params="1k"))
    assert some.listed is not None
    ids = {one.arch_id for one in space.enumerate() if some.feasible(one)}
    assert len(some.listed) == len(ids) == 4
    assert {one.arch_id for one in some.listed} == ids
    large = Space(sequence(one=Dense(integer(1, 30_000)), head=Head(VECTOR)), VECTOR)
    assert candidates(large, Limits()).listed is None


def test_a_space_check_reports_bounds_share_and_useless_choices() -> None:
    space = Space(
        sequence(one=Dense(choice(2, 8, 5000)), two=Dense(choice(4), norm=choice("none", "batch")), head=Head(VECTOR)),
        VECTOR,
        "small",
    )
    check = check_space(space, Limits.parse(params="2k", latency="2ms"), samples=300, seed=0)
    params = check.costs[0]
    assert (params.name, params.least) == ("params", 2 * 50 + 2 + 4 + 3 * 4 + 5 * 2)
    assert check.ok
    assert check.share == pytest.approx(2 / 3, abs=0.1)
    assert check.dead == ("blocks.two.width",)
    assert check.useless == (("blocks.one.width", "5000"),)
    lines = check.lines()
    assert max(map(len, lines)) <= 80
    assert any("least" in line and "greatest" in line for line in lines)
    assert any("blocks.one.width = 5000" in line for line in lines)
    assert any("latency_ms is measured" in line for line in lines)


def test_a_space_check_says_which_limit_nothing_meets() -> None:
    task = Task("regression", Signal("table", (3,), (4,)), 1, "rmse")
    check = check_space(tabular(task), Limits(params=5), samples=50)
    assert not check.ok
    assert check.share == 0
    assert any("Nothing meets the limit of 5 params: the least is" in line for line in check.lines())
    assert '"ok": false' in check.to_json()
