"""The Pareto front of a search with several objectives."""

from dataclasses import replace

from nasturtium.protocol import shortlist
from nasturtium.report.summary import summary_lines
from nasturtium.space import Space, integer
from nasturtium.terminal import describe
from nasturtium.trial import Fidelity, History, Objective, Trial
from nasturtium.workflows.record import front_record, search_record

GOALS = (Objective("rmse", "minimize"), Objective("params", "minimize"))
SPACE = Space((integer(0, 9),), name="ten")
SCORES = ((55.0, 100), (50.0, 3000), (60.0, 90), (58.0, 2000), (50.0, 3500))


def history(goals: tuple[Objective, ...]) -> History:
    trials = [
        Trial(
            number=number,
            architecture=SPACE.architecture({"0": number}),
            fidelity=Fidelity(5),
            state="complete",
            origin="random",
            seed=0,
            measures={"rmse": rmse, "params": float(params)},
        )
        for number, (rmse, params) in enumerate(SCORES)
    ]
    return History(goals, tuple(trials))


def test_the_front_holds_what_no_other_beats_best_score_first() -> None:
    front = front_record(history(GOALS))
    assert [one["trial"] for one in front] == [1, 0, 2]
    assert front[1]["scores"] == {"rmse": 55.0, "params": 100.0}
    assert front[0]["arch_id"] == SPACE.architecture({"0": 1}).arch_id
    assert search_record(history(GOALS[:1]), "rmse")["front"] == []


def test_the_terminal_lists_the_front_with_costs_in_their_units() -> None:
    record = {
        "schema": 1, "verdict": "search", "sentence": "It paid.", "seed": 0, "trials": 5, "seconds": 3.0,
        "best": {"name": "found"}, "search": search_record(history(GOALS), "rmse"),
    }  # fmt: skip
    lines = summary_lines(record)
    start = next(k for k, line in enumerate(lines) if line.startswith("Front"))
    assert lines[start] == "Front       3, by their scores in the search; all in result.json"
    assert lines[start + 1].split() == ["50.00", "3,000", "params", "trial", "1"]
    assert max(map(len, lines)) <= 80


def test_a_trial_is_described_with_whole_numbers() -> None:
    assert describe(history(GOALS).trials[1], GOALS) == "trial    1  rmse 50  3,000 params  0.0 s  (random)"


def test_what_is_found_is_the_best_by_the_metric_and_others_decide_between_equals() -> None:
    goals = (Objective("rmse", "minimize"), Objective("params", "minimize"))
    equal = history(goals).trials[4], history(goals).trials[1]  # rmse 50 each, 3,500 and 3,000 params
    told = tuple(
        replace(trial, measures={**trial.measures, "log-loss": float(place)}) for place, trial in enumerate(equal)
    )
    assert shortlist(History(goals, told), "rmse", 5, 1)[0].measures["params"] == 3000
    assert shortlist(History(goals[:1], told), "rmse", 5, 1)[0].measures["params"] == 3500, "by log-loss"
    assert [one.measures["rmse"] for one in shortlist(history(goals), "rmse", 5, 3)] == [50, 50, 55]
