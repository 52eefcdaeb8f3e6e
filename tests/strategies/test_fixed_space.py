"""A space without decisions has one architecture: every strategy proposes it once, and then nothing."""

import pytest

from nasturtium.blocks import ConvBN, Head, sequence
from nasturtium.errors import RunError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.space import Space
from nasturtium.strategies import strategy
from nasturtium.strategies.registry import STRATEGIES
from nasturtium.task import Signal, Task
from nasturtium.testing.strategies import simulate
from nasturtium.trial import History, Objective

TASK = Task("classification", Signal("image", (1, 8, 8)), 3, "accuracy", ("a", "b", "c"))
SPACE = Space(sequence(stem=ConvBN(8), head=Head(TASK)), TASK, "fixed")
CANDIDATES = LimitedCandidates(SPACE, CostModel(SPACE), Limits(params=1000))
EVOLVES_NUMBERS = "cma-es"


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name != EVOLVES_NUMBERS])
@pytest.mark.parametrize("failing", [0, 1])
def test_the_one_architecture_is_tried_once(name: str, failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NASTURTIUM_LLM_URL", raising=False)
    objectives = 2 if name == "nsga3" else 1
    asked = strategy(name, 10)
    start = History(tuple(Objective(f"loss{goal}", "minimize") for goal in range(objectives)))
    [alone] = asked.ask(start, 3, 0, CANDIDATES)
    assert alone.arch_id == SPACE.sample(0).arch_id
    history = simulate(asked, CANDIDATES, lambda one: (0.5,) * objectives, 4, failing=failing)
    assert [trial.architecture.arch_id for trial in history.trials] == [alone.arch_id]
    assert list(asked.ask(history, 2, 1, CANDIDATES)) == []


def test_the_strategy_that_evolves_numbers_says_that_there_are_none() -> None:
    with pytest.raises(RunError, match="evolves numbers, and the space 'fixed' has none"):
        strategy(EVOLVES_NUMBERS).ask(History((Objective("loss0", "minimize"),)), 1, 0, CANDIDATES)
