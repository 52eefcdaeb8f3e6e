"""Workers that crash, hang, stop, outlive nothing."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nasturtium.errors import RunError
from nasturtium.roles import Job, Outcome
from nasturtium.space import Space, choice
from nasturtium.study import LocalExecutor
from nasturtium.testing.evaluators import Scripted
from nasturtium.trial import Fidelity

SPACE = Space((choice("a", "b", "c"), choice("d", "e", "f")))


def job(key: str, epochs: int = 1, deadline_s: float | None = None) -> Job:
    return Job(key, SPACE.sample(int(key)), Fidelity(epochs), seed=0, deadline_s=deadline_s)


def drain(executor: LocalExecutor, count: int, limit_s: float = 30.0) -> dict[str, Outcome]:
    until, found = time.monotonic() + limit_s, {}
    while len(found) < count and time.monotonic() < until:
        found |= {done.key: outcome for done, outcome in executor.wait(1.0)}
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_each_worker_opens_the_evaluator_once_for_all_its_jobs(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    with LocalExecutor(Scripted(opened=str(opened)), workers=2) as executor:
        for number in range(8):
            executor.submit(job(str(number)))
        outcomes = drain(executor, 8)
    assert sorted(outcomes) == [str(number) for number in range(8)]
    assert all(outcome.failure is None for outcome in outcomes.values())
    pids = opened.read_text().split()
    assert len(pids) == len(set(pids)) <= 2
    assert str(os.getpid()) not in pids


def test_crashes_and_errors_fail_their_job_alone_and_say_why() -> None:
    script = {"1": "raise", "2": "exit", "3": "segfault"}
    with LocalExecutor(Scripted(script)) as executor:
        for number in range(5):
            executor.submit(job(str(number)))
        outcomes = drain(executor, 5)
    assert outcomes["1"].failure == "ValueError: scripted to raise"
    assert outcomes["2"].failure == "the worker exited with code 3"
    assert outcomes["3"].failure == "the worker was killed by SIGSEGV"
    assert outcomes["0"].failure is None
    assert outcomes["4"].failure is None


def test_a_worker_that_hangs_is_killed_after_its_deadline_and_grace() -> None:
    with LocalExecutor(Scripted({"0": "hang"}), grace_s=0.3) as executor:
        executor.submit(job("0", deadline_s=0.2))
        executor.submit(job("1"))
        outcomes = drain(executor, 2)
    assert outcomes["0"].failure == "hung: killed after its 0.2 s"
    assert outcomes["0"].seconds == pytest.approx(0.5, abs=0.4)
    assert outcomes["1"].failure is None


def test_the_stop_rule_is_asked_here_and_its_answer_counts_at_the_next_epoch() -> None:
    heard: list[tuple[float, ...]] = []

    def stop(curve: tuple[float, ...]) -> bool:
        heard.append(curve)
        return len(curve) >= 3

    with LocalExecutor(Scripted()) as executor:
        for number in range(3):
            executor.submit(job(str(number), epochs=50), stop)
        outcomes = drain(executor, 3)
    assert [len(outcomes[key].curve) for key in "012"] == [4, 4, 4]
    assert all(outcome.stopped for outcome in outcomes.values())
    # The report of the epoch at which a training stops is sent too, but its job may be over when it is heard.
    assert heard[:3] == [outcomes["0"].curve[:size] for size in (1, 2, 3)]


def test_cancel_returns_running_and_queued_jobs_and_the_executor_works_on() -> None:
    with LocalExecutor(Scripted({"0": "hang"})) as executor:
        for number in range(3):
            executor.submit(job(str(number)))
        assert executor.wait(1.5) == []
        assert sorted(cancelled.key for cancelled in executor.cancel()) == ["0", "1", "2"]
        executor.submit(job("5"))
        assert drain(executor, 1)["5"].failure is None


def test_an_evaluator_that_cannot_be_opened_is_an_error_and_not_a_failed_trial(tmp_path: Path) -> None:
    with LocalExecutor(Scripted(opened=str(tmp_path / "no" / "where"))) as executor:
        executor.submit(job("0"))
        with pytest.raises(RunError, match=r"The evaluator could not be opened: FileNotFoundError: .*no/where"):
            drain(executor, 1)


def test_zero_workers_are_refused() -> None:
    with pytest.raises(RunError, match="--workers is 0: at least 1 worker is needed"):
        LocalExecutor(Scripted(), workers=0)


def test_jobs_and_evaluators_are_checked_where_they_are_handed_in() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        LocalExecutor(lambda: None)  # type: ignore[arg-type]


ORPHANS = """
import sys, time
from nasturtium.study import LocalExecutor
from nasturtium.testing.evaluators import Scripted
from nasturtium.roles import Job
from nasturtium.trial import Fidelity
from nasturtium.space import Space, choice
space = Space((choice("a", "b"), choice("c", "d")))
executor = LocalExecutor(Scripted(pause_s=0.05, opened=sys.argv[1]), workers=2)
for number in range(2):
    executor.submit(Job(str(number), space.sample(number), Fidelity(10_000), seed=0))
while True:
    executor.wait(1.0)
"""


def test_workers_end_soon_after_their_parent_was_killed(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS, str(opened)])
    until = time.monotonic() + 30
    while time.monotonic() < until and not (opened.exists() and len(opened.read_text().split()) == 2):
        time.sleep(0.05)
    pids = [int(line) for line in opened.read_text().split()]
    assert all(alive(pid) for pid in pids)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until = time.monotonic() + 10
    while time.monotonic() < until and any(alive(pid) for pid in pids):
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


SCRIPT = """
from dataclasses import dataclass
from nasturtium.study import LocalExecutor
from nasturtium.roles import Job, Outcome
from nasturtium.trial import Fidelity
from nasturtium.space import Space, choice

@dataclass(frozen=True)
class Mine:
    def open(self):
        print("chatty worker")
        return lambda job, report: Outcome({"score": 1.0})

def main():
    space = Space((choice("a", "b"),), name="s")
    with LocalExecutor(Mine()) as executor:
        executor.submit(Job("0", space.sample(0), Fidelity(1), seed=0))
        done = []
        while not done:
            done = executor.wait(10.0)
        print(done[0][1].measures, done[0][1].failure)

GUARD
"""


def run_script(tmp_path: Path, guard: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "mine.py"
    file.write_text(SCRIPT.replace("GUARD", guard))
    return subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=60, check=False)


def test_an_evaluator_defined_in_the_running_script_works_and_its_prints_stay_off_stdout(tmp_path: Path) -> None:
    done = run_script(tmp_path, 'if __name__ == "__main__":\n    main()')
    assert done.stdout == "{'score': 1.0} None\n"
    assert "chatty worker" in done.stderr


def test_a_script_without_a_guard_is_told_to_add_one(tmp_path: Path) -> None:
    done = run_script(tmp_path, "main()")
    assert done.returncode != 0
    assert 'Put the call that starts the search under `if __name__ == "__main__":`' in done.stderr
