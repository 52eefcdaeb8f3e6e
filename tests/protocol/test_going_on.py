"""Final trainings that go on from the networks of a comparison that the clock cut."""

from pathlib import Path

import pytest

from nasturtium.classical import Classical
from nasturtium.protocol import COMPARED, Contender, begun, final_jobs, resplit_jobs
from nasturtium.protocol.final import ONWARD_RATE
from nasturtium.roles import Outcome

FOUND = Contender("found", "found", "a network", {}, epochs=10)


def seed_of(purpose: str, number: int) -> int:
    return number


def outcomes(*epochs: float) -> dict[str, Outcome]:
    jobs = resplit_jobs([FOUND], COMPARED, seed_of, 5.0, Path("kept"))
    return {
        job.key: Outcome({"epochs": each, "kept_epochs": each}, checkpoint=job.checkpoint)
        for job, each in zip(jobs, epochs, strict=True)
    }


def test_what_the_clock_cut_goes_on_seed_by_seed() -> None:
    cut = begun(FOUND, outcomes(4.0, 4.5, 3.5, 4.0, 4.0))
    assert cut.begun_epochs == pytest.approx(4.0)
    jobs = final_jobs(cut, seed_of, Path("finals"), 9.0)
    assert [job.parent for job in jobs] == [str(Path("kept") / f"resplit-{n}-found.safetensors") for n in COMPARED]
    assert {job.rate for job in jobs} == {ONWARD_RATE}
    assert {job.fold for job in jobs} == {"all"}


@pytest.mark.parametrize("epochs", [(10.0,) * 5, (4.0, 4.0, 10.0, 4.0, 4.0)])
def test_what_was_trained_in_full_begins_anew(epochs: tuple[float, ...]) -> None:
    assert begun(FOUND, outcomes(*epochs)) is FOUND
    assert all(job.parent is None and job.rate == 1.0 for job in final_jobs(FOUND, seed_of, Path("finals"), None))


def test_a_failed_training_lets_none_go_on() -> None:
    failed = {**outcomes(*(4.0,) * 5), "resplit/2/found": Outcome(failure="training diverged")}
    assert begun(FOUND, failed) is FOUND


def test_simple_models_and_runs_without_a_clock_leave_nothing() -> None:
    simple = Contender("logistic", "baseline", Classical("logistic"), {})
    assert {job.checkpoint for job in resplit_jobs([simple], COMPARED, seed_of, 5.0, Path("kept"))} == {None}
    assert {job.checkpoint for job in resplit_jobs([FOUND], COMPARED, seed_of, None)} == {None}
