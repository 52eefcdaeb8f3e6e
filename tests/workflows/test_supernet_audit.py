"""The audit of a run's supernet, against scores that follow from the shared weights by another way."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from nasturtium.blocks import Dense, Embed, Head, sequence
from nasturtium.data import Development, input_statistics, load, prepare, profile, split
from nasturtium.hardware import LimitedCandidates, Limits
from nasturtium.space import Space, choice
from nasturtium.supernet import Supernet, recalibrate, save_supernet
from nasturtium.supernet.audit import sampled
from nasturtium.trial import Fidelity, History, Objective, Trial
from nasturtium.workflows import supernet_audit
from nasturtium.workflows.folder import RunFolder, write_json
from nasturtium.workflows.supernet_audit import audit_supernet

GOAL = Objective("rmse", "minimize")
COUNT = 12


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Development:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(200, 4))
    raw = load((inputs, inputs @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=200)))
    parts = split(raw, 0)
    profile(raw, parts)
    return prepare(raw, parts)[0].save(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def space(development: Development) -> Space:
    widths, style = choice(*range(2, 20)), {"activation": choice("relu", "silu")}
    body = {"one": Dense(width=widths, **style), "two": Dense(width=choice(4, 8), **style)}
    return Space(sequence(embed=Embed(4), **body, head=Head(development.task)), development.task, "tiny")


@pytest.fixture(scope="module")
def supernet(space: Space) -> Supernet:
    return Supernet(space, seed=3)


@pytest.fixture(scope="module")
def expected(space: Space, supernet: Supernet, development: Development) -> list[float]:
    """RMSE on the validation rows, by hand: standardised by the training rows, as the statistics of batch norms are."""
    train, valid = development.fold("search")
    statistics, targets = input_statistics(development, train), development.targets
    inputs = ((np.asarray(development.inputs) - statistics.mean) / statistics.std).astype(np.float32)
    mean, std = targets[train].mean(), targets[train].std()
    found = []
    for one in sampled(LimitedCandidates(space, None, Limits()), COUNT, 0):
        network = supernet.extract(one)
        recalibrate(network, torch.from_numpy(inputs[train]))
        with torch.no_grad():
            outputs = network.eval()(torch.from_numpy(inputs[valid])).numpy()
        found.append(float(np.sqrt(np.mean((outputs[:, 0] * std + mean - targets[valid].reshape(-1)) ** 2))))
    return found


def trials(space: Space, losses: Sequence[float]) -> tuple[Trial, ...]:
    drawn = sampled(LimitedCandidates(space, None, Limits()), COUNT, 0)
    return tuple(
        Trial(number, one, Fidelity(3), number, "spos", "complete", {"rmse": loss})
        for number, (one, loss) in enumerate(zip(drawn, losses, strict=False))
    )


def made(
    folder: Path, development: Development, net: Supernet | None, rows: Sequence[Trial], strategy: str = "spos"
) -> tuple[Any, Any, list[str]]:
    """A session with a supernet that derived the first four trials, what was searched, and what is remarked."""
    run, told = RunFolder(folder), list[str]()
    if net is not None:
        save_supernet(net, run.supernet)
    write_json(run.one_shot, {"method": strategy, "derived": [dict(one.architecture.values) for one in rows[:4]]})
    session = SimpleNamespace(
        options=SimpleNamespace(strategy=strategy),
        folder=run,
        clock=SimpleNamespace(budget_s=None),
        data=SimpleNamespace(development=development),
        progress=SimpleNamespace(phase=lambda *words: None, jobs=lambda *words: None),
        remark=told.append,
        seed=lambda purpose: 5,
    )
    space = rows[0].architecture.space if net is None else net.space
    return session, SimpleNamespace(space=space, history=History((GOAL,), tuple(rows))), told


def test_scores_are_those_of_the_shared_weights_on_validation_rows_and_their_ranks_are_compared(
    tmp_path: Path, development: Development, space: Space, supernet: Supernet, expected: list[float]
) -> None:
    session, searched, told = made(tmp_path, development, supernet, trials(space, expected))
    audit_supernet(session, searched)
    audit = json.loads(session.folder.one_shot.read_text())["audit"]
    assert [one["inherited"] for one in audit["points"]] == pytest.approx(expected, rel=1e-4)
    assert [one["alone"] for one in audit["points"]] == expected
    assert [one["derived"] for one in audit["points"]] == [True] * 4 + [False] * 8
    assert audit["correlation"]["kendall"] == audit["correlation"]["kendall_low"] == 1
    assert audit["correlation"]["n"] == COUNT
    assert told == [audit["sentence"]]
    assert told[0].startswith("Supernet audit: Kendall's tau between inherited and stand-alone scores is 1.00 (95 %")
    assert "4 of them were chosen by their inherited score on other rows; the others are random" in told[0]


def test_scores_that_rank_the_other_way_round_are_not_trusted(
    tmp_path: Path, development: Development, space: Space, supernet: Supernet, expected: list[float]
) -> None:
    turned = trials(space, [-loss for loss in expected])
    session, searched, told = made(tmp_path, development, supernet, turned, "darts-es")
    audit_supernet(session, searched)
    assert "is -1.00" in told[0]
    assert "do not trust inherited scores here" in told[0]
    assert "4 of them were derived, which darts-es does by the weights of the options, not by these scores" in told[0]


def test_fewer_than_ten_say_nothing_and_no_weights_are_read(
    tmp_path: Path, development: Development, space: Space, expected: list[float]
) -> None:
    session, searched, told = made(tmp_path, development, None, trials(space, expected)[:9])
    audit_supernet(session, searched)
    audit = json.loads(session.folder.one_shot.read_text())["audit"]
    assert (audit["correlation"], audit["points"]) == (None, [])
    assert told == [
        "The supernet was not audited: 9 architectures were trained alone to the end, and fewer than 10 say nothing "
        "about how inherited scores rank."
    ]


def test_a_budget_without_room_ends_the_audit_and_says_so(
    tmp_path: Path, development: Development, space: Space, supernet: Supernet, expected: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    session, searched, told = made(tmp_path, development, supernet, trials(space, expected))
    monkeypatch.setattr(supernet_audit, "room_s", lambda session: -1.0)
    audit_supernet(session, searched)
    assert told == [
        "The supernet was not audited: the budget had room for the inherited scores of 0 of 12 architectures, and "
        "fewer than 10 say nothing about how they rank."
    ]


def test_a_resumed_run_takes_what_is_recorded(
    tmp_path: Path, development: Development, space: Space, expected: list[float]
) -> None:
    session, searched, told = made(tmp_path, development, None, trials(space, expected))
    facts = json.loads(session.folder.one_shot.read_text())
    write_json(session.folder.one_shot, {**facts, "audit": {"sentence": "As before."}})
    audit_supernet(session, searched)  # there are no weights to score by
    assert told == ["As before."]


def test_an_audit_that_fails_is_a_remark_and_a_search_without_a_supernet_has_none(
    tmp_path: Path, development: Development, space: Space, expected: list[float]
) -> None:
    session, searched, told = made(tmp_path, development, None, trials(space, expected))
    audit_supernet(session, searched)
    assert len(told) == 1
    assert told[0].startswith("The supernet could not be audited (RunError: The supernet ")
    assert "audit" not in json.loads(session.folder.one_shot.read_text())
    audit_supernet(SimpleNamespace(options=SimpleNamespace(strategy="tpe"), folder=session.folder), searched)


def test_trials_without_a_number_are_left_out(
    tmp_path: Path, development: Development, space: Space, supernet: Supernet, expected: list[float]
) -> None:
    rows = trials(space, expected)
    broken = replace(rows[0], state="failed", measures={}, failure="training diverged")
    session, searched, _ = made(tmp_path, development, supernet, (broken, *rows[1:]))
    audit_supernet(session, searched)
    audit = json.loads(session.folder.one_shot.read_text())["audit"]
    assert [one["trial"] for one in audit["points"]] == list(range(1, COUNT))
