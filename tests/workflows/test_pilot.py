"""A pilot that was too short to predict from is said to be so; one that was not is believed."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nasturtium.advisor import Plan, decide, given
from nasturtium.advisor.gain import Scale, apart
from nasturtium.advisor.rendering import markdown
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.task import Signal, Task
from nasturtium.training import Recipe
from nasturtium.workflows import judging
from nasturtium.workflows.foreseeing import affordable_macs, foresee
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.piloting import Pilot, Tried
from nasturtium.workflows.progress import Silent
from nasturtium.workflows.starved import too_short, training_range
from nasturtium.zoo import conv_macro

TASK = Task("classification", Signal("image", (1, 8, 8)), 3, "accuracy", ("0", "1", "7"))
SPACE = conv_macro(TASK)
ACCURACY = Scale(best=1.0, step=1 / 72, maximize=True, worst=0.0)
GOOD = (0.93, 0.95, 0.96, 0.94, 0.97, 0.95)


def pilot(scores: tuple[float, ...] = GOOD, passes: float = 60.0, full_s: tuple[float, ...] | None = None) -> Pilot:
    """Of networks of 0.1M, 0.2M … MACs; full_s: 1 s, 2 s … by default."""
    tried = tuple(
        Tried(SPACE.sample(place), 1e5 * (place + 1), score, passes, took, passes < 60)
        for place, (score, took) in enumerate(zip(scores, full_s or range(1, len(scores) + 1), strict=True))
    )
    return Pilot("accuracy", {"svc": (0.9, 0.1)}, tried, 60, 2, 14.0, 3.0)


def verdict(tried: Pilot, budget_s: float = 600.0) -> str | None:
    run = foresee(tried, TASK, Limits(), None, budget_s) if len(tried.tried) >= 3 else None
    return too_short(tried, run, ACCURACY)


def test_a_pilot_of_whole_trainings_says_enough() -> None:
    assert verdict(pilot()) is None
    assert verdict(pilot((0.2, 0.99, 0.6, 0.95, 0.4, 0.9))) is None, "they differ because they are different"
    assert verdict(pilot(passes=20.0)) is None, "shortened schedules that ran to their end"


@pytest.mark.parametrize(
    ("tried", "why"),
    [
        (pilot(()), "it trained 0 networks in 14 s, and 3 are the least"),
        (pilot((0.9, 0.8)), "it trained 2 networks in 14 s, and 3 are the least"),
        (pilot(passes=2.5), "its networks had 2.5 passes each, and those of a search would have"),
        (pilot(passes=5.0), "its networks had 5.0 passes each, and those of a search would have 60"),
        (pilot((0.9, 0.8, 0.9), full_s=(0.5, 5.0, 60.0)), "by its 3 networks a training takes anything from"),
        (
            pilot((0.1, 0.95, 0.2, 0.8), passes=20.0),
            "its networks had 20.0 of 60 passes each, from which one more would score anything from 0 to 0.9",
        ),
    ],
)
def test_a_pilot_that_was_too_short_says_why(tried: Pilot, why: str) -> None:
    told = verdict(tried)
    assert told is not None
    assert told.startswith(why)


def test_the_range_of_a_training_narrows_with_networks_and_holds_their_mean_in_nine_of_ten_cases() -> None:
    rng, inside = np.random.default_rng([5]), 0
    for _ in range(400):
        low, high = training_range(pilot((0.9,) * 4, full_s=tuple(np.exp(rng.normal(1.0, 0.7, 4)))))
        inside += low <= np.exp(1.0) <= high
    assert 0.86 <= inside / 400 <= 0.94
    few, many = (training_range(pilot((0.9,) * count, full_s=(1.0, 4.0) * (count // 2))) for count in (4, 12))
    assert many[1] / many[0] < few[1] / few[0]


def test_how_far_two_scores_lie_apart() -> None:
    step = 0.002
    accuracy = Scale(best=1.0, step=step, maximize=True, worst=0.0)
    assert apart(0.9, 0.99, accuracy) == pytest.approx((0.1 + step / 2) / (0.01 + step / 2))
    assert apart(0.99, 0.9, accuracy) == apart(0.9, 0.99, accuracy)
    assert apart(50.0, 200.0, Scale(best=None, step=1e-12, maximize=False)) == pytest.approx(4.0)


def test_networks_that_take_so_many_seconds() -> None:
    assert affordable_macs(pilot(), 3.0) == pytest.approx(3e5), "a second for 0.1M MACs"
    assert affordable_macs(pilot(full_s=(2.0,) * 6), 3.0) is None, "MACs do not matter"
    assert affordable_macs(pilot(()), 3.0) is None


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plan of a need for digits, after this pilot."""

    def made(tried: Pilot, **flags: Any) -> Plan:
        fields = {"task": "classification", "modality": "image", "input": "1x8x8", "rows": 1797, "outputs": 10, **flags}
        plan = decide(given(fields, "here"), TASK)
        candidates = LimitedCandidates(SPACE, CostModel(SPACE), Limits())
        monkeypatch.setattr(judging, "space_of", lambda plan, prepared: (candidates, CostModel(SPACE)))
        monkeypatch.setattr(judging, "run_pilot", lambda *given: tried)
        prepared: Any = SimpleNamespace(task=TASK, development=SimpleNamespace(train=np.arange(360) < 288))
        return judging.with_pilot(plan, SearchOptions("digits"), prepared, Recipe(epochs=60), Silent())

    return made


def test_the_plan_foresees_nothing_from_a_starved_pilot_and_says_what_to_do(judged: Any) -> None:
    plan = judged(pilot((0.1, 0.95, 0.2, 0.8), passes=2.0, full_s=(20.0, 40.0, 60.0, 80.0)))
    assert plan.search.advised, "a search measures for itself"
    assert (
        "The pilot was too short to predict from: its networks had 2.0 passes each, and those of a search would have"
    ) in plan.search.reason
    assert plan.search.reason.endswith(
        "Advise on smaller images (--image-size) for a forecast, or run the search: it measures as it goes, and keeps "
        "to its --budget."
    )
    assert plan.search.gain is None
    assert plan.search.seconds is not None
    assert (plan.search.seconds.known, plan.search.seconds.low, plan.search.seconds.high) == ("assumed", None, None)
    assert plan.search.seconds.how.endswith("the pilot was too short to say better")
    assert plan.pilot is not None
    assert plan.pilot["too_short"].startswith("its networks had 2.0 passes each")
    assert plan.pilot["foreseen"] is None
    assert plan.pilot["simple"]["svc"]["score"] == 0.9
    assert all(one.expected.known != "predicted" for one in plan.proposals)
    assert next(one for one in plan.baselines if one.name == "svc").score == 0.9, "what it did measure stays"
    page = markdown(plan)
    assert "too short to predict from" in page
    assert "Gain:" not in page


def test_where_smaller_networks_would_do_their_macs_are_named(judged: Any) -> None:
    starved = pilot(GOOD, passes=2.0, full_s=(4.0, 8.0, 12.0, 16.0, 20.0, 24.0))
    # Six trainings at once or one after the other on two workers: 14 s x 2 / 6 each, half of a full one.
    macs = 2 * (14 * 2 / 6) / 4.0 * 1e5
    assert f"Advise on smaller networks for a forecast, --max-macs {macs / 1e3:.0f}k, or" in (
        judged(starved).search.reason
    )
    assert "--image-size" in judged(starved, max_macs="100k").search.reason, "a tighter limit is there already"


def test_a_sound_pilot_gives_time_and_gain(judged: Any) -> None:
    plan = judged(pilot())
    assert plan.search.gain is not None
    assert plan.search.seconds.known == "predicted"
    assert "too short" not in markdown(plan)
    assert plan.pilot["networks"][0]["score"] == GOOD[0]
    assert plan.pilot["too_short"] is None
