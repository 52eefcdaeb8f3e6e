"""Zero-cost proxies among the features of candidates: those that `measure` says, once a network, and only if asked."""

import numpy as np
import pytest

from nasturtium.blocks import Dense, Embed, Head, sequence
from nasturtium.data import Development
from nasturtium.errors import RunError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.proxies import Batch, measure
from nasturtium.space import Space, choice
from nasturtium.workflows.checking import check_options
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.proxied import Proxied
from nasturtium.workflows.untrained import ROOM, ROWS, drawn_batch, untrained


@pytest.fixture(scope="module")
def inner(development: Development) -> LimitedCandidates:
    body = {"one": Dense(width=choice(*range(2, 20)), activation=choice("relu", "silu"))}
    space = Space(sequence(embed=Embed(4), **body, head=Head(development.task)), development.task, "tiny")
    return LimitedCandidates(space, CostModel(space), Limits(params=60))


def test_proxies_are_what_measure_says_turned_so_that_more_is_better(
    inner: LimitedCandidates, development: Development
) -> None:
    batch = drawn_batch(development, 1.0, 3)
    candidates = Proxied(inner, development.task, batch, ("plain", "synflow", "snip"), seed=3)
    assert candidates.names == ("synflow", "snip", "plain"), "those that rank best come first"
    one = candidates.sample(np.random.default_rng(0))
    said = measure(untrained(one, development.task, 3), batch, candidates.names, 3)
    assert candidates.features(one)["measured"].tolist() == [said["synflow"], said["snip"], -said["plain"]]


def test_a_network_is_measured_once_and_only_when_its_proxies_are_looked_at(
    inner: LimitedCandidates, development: Development
) -> None:
    candidates = Proxied(inner, development.task, drawn_batch(development, 1.0, 3), ("nwot",), seed=3)
    one = candidates.sample(np.random.default_rng(0))
    features = candidates.features(one)
    assert set(features) == {*inner.features(one), "measured"}
    assert features["costs"].tolist() == inner.features(one)["costs"].tolist()
    assert candidates.measured == 0
    for _ in range(2):
        candidates.features(candidates.sample(np.random.default_rng(0)))["measured"]
    assert candidates.measured == 1
    assert candidates.sentence().startswith("The proxies nwot of 1 untrained networks took ")


def test_limits_and_the_list_are_those_within(inner: LimitedCandidates, development: Development) -> None:
    candidates = Proxied(inner, development.task, drawn_batch(development, 1.0, 3), ("nwot",), seed=3)
    assert candidates.listed == inner.listed
    every = list(candidates.space.enumerate())
    assert [candidates.feasible(one) for one in every] == [inner.feasible(one) for one in every]
    assert {candidates.feasible(one) for one in every} == {True, False}


def test_a_batch_is_smaller_where_networks_are_very_large(development: Development) -> None:
    assert len(drawn_batch(development, 1.0, 0)) == ROWS
    assert len(drawn_batch(development, ROOM / 4, 0)) == 4


def test_a_proxy_that_does_not_suit_the_task_or_cannot_be_worked_out_is_refused(
    inner: LimitedCandidates, development: Development
) -> None:
    batch = drawn_batch(development, 1.0, 0)
    with pytest.raises(RunError, match="epe_nas compares rows of one class, so it needs a classification task"):
        Proxied(inner, development.task, batch, ("epe_nas",), 0)
    broken = Batch(batch.inputs[:, :4], batch.targets[:, :0], batch.task)
    candidates = Proxied(inner, development.task, broken, ("synflow", "snip"), 0)
    with pytest.raises(RunError, match=r"^--proxies synflow,snip cannot be worked out for a network of the space"):
        candidates.features(candidates.sample(np.random.default_rng(0)))["measured"]


def test_proxies_are_by_name_and_for_auto_alone() -> None:
    with pytest.raises(RunError, match=r"^--proxies names 'nwott', which there is not\. Did you mean 'nwot'"):
        check_options(SearchOptions("wine", proxies=("nwott",)))
    with pytest.raises(RunError, match=r"^--proxies is for the strategy auto, and --strategy is tpe, which"):
        check_options(SearchOptions("wine", proxies=("nwot",), strategy="tpe"))
    check_options(SearchOptions("wine", proxies=("nwot", "jacob-cov")))
