"""What a user may get wrong on the command line: one or two sentences, exit code 2, nothing written, no traceback."""

import doctest
import errno
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import nasturtium
from nasturtium import Space, api, choice, cli
from nasturtium.errors import UserError
from nasturtium.roles import Outcome
from nasturtium.study.executors._scoring import score
from nasturtium.workflows import folder as folders
from nasturtium.workflows import search as workflow
from nasturtium.workflows.endings import explained
from nasturtium.workflows.folder import RunFolder
from nasturtium.workflows.progress import Silent

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command in an empty folder, without a worker; the sentence that it is refused with."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workflow, "run", lambda *given: pytest.fail("the run began"))

    def run(*arguments: object) -> str:
        before = sorted(Path().rglob("*"))
        monkeypatch.setattr("sys.argv", ["nasturtium", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "Traceback" not in err
        assert sorted(Path().rglob("*")) == before, "something was written"
        sentence = " ".join(err[err.rindex("nasturtium: ") :].split())
        assert len(re.findall(r"[.?!](?: |$)", sentence)) <= 3, sentence
        return sentence

    return run


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """40 rows, two classes."""
    path = tmp_path / "table.csv"
    width = np.random.default_rng([1]).random(40)
    pd.DataFrame({"width": width, "height": width**2, "kind": ["a", "b"] * 20}).to_csv(path, index=False)
    return path


def written(path: Path, **columns: object) -> Path:
    pd.DataFrame({"x": np.arange(20) ** 1.5, **columns}).to_csv(path, index=False)
    return path


def test_sources(refused: Refused, tmp_path: Path) -> None:
    assert "Did you mean 'digits'?" in refused("search", "digit")
    assert "There is no file or folder 'gone.csv'" in refused("search", "gone.csv", "--target", "y")
    (tmp_path / "empty").mkdir()
    assert "'empty' has no sub-folders with images" in refused("search", "empty")
    (tmp_path / "broken.npz").write_bytes(b"nothing")
    assert "broken.npz cannot be read" in refused("search", "broken.npz")
    (tmp_path / "rows.csv").write_text("x,y\n")
    assert "has no rows" in refused("search", "rows.csv", "--target", "y")
    (tmp_path / "twice.csv").write_text("x,y,x\n1,2,3\n")
    assert "more than one column named 'x'" in refused("search", "twice.csv", "--target", "y")
    np.savez(tmp_path / "shapes.npz", X=np.ones((20, 3)), y=np.arange(19) % 2)
    assert "20 rows, but y has 19" in refused("search", "shapes.npz")


def test_a_source_that_may_not_be_read(refused: Refused, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*given: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)  # root may read everything, so a mode alone would not do
    assert "Permission denied" in refused("search", "table.csv", "--target", "kind")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (["a"] * 20, "holds one class only, 'a'"),
        (["a"] * 19 + ["b"], "The class 'b' of the target 't' has one example only"),
        ([None] * 20, "is missing in every row"),
        ([np.inf, *np.arange(19) * 1.5], "NaN or infinite in 1 of 20 rows"),
    ],
)
def test_targets(refused: Refused, tmp_path: Path, target: list[object], sentence: str) -> None:
    written(tmp_path / "t.csv", t=target)
    assert sentence in refused("search", "t.csv", "--target", "t")


def test_targets_of_arrays_must_be_finite(refused: Refused, tmp_path: Path) -> None:
    np.savez(tmp_path / "nan.npz", X=np.ones((20, 3)), y=np.r_[np.nan, np.arange(19) * 1.5])
    assert "in 1 of 20 rows" in refused("search", "nan.npz")


def test_a_target_that_is_not_there(refused: Refused, table: Path) -> None:
    assert "Did you mean 'kind'?" in refused("search", "table.csv", "--target", "kidn")
    assert "Which column of table.csv is the target?" in refused("search", "table.csv")


def images(place: Path, count: int, corrupt: int) -> None:
    for name in ("cat", "dog"):
        (place / name).mkdir(parents=True)
        for number in range(count // 2):
            Image.fromarray(np.full((8, 8), number, np.uint8)).save(place / name / f"{number}.png")
    for number in range(corrupt):
        (place / "cat" / f"{number}.png").write_bytes(b"no image")


def test_corrupt_images_are_refused_above_one_per_cent(refused: Refused, tmp_path: Path) -> None:
    images(tmp_path / "pets", 200, corrupt=3)
    sentence = refused("search", "pets")
    assert "3 of" in sentence
    assert "0.png" in sentence


def test_few_corrupt_images_are_skipped_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images(tmp_path / "pets", 200, corrupt=1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["nasturtium", "search", "pets", "--max-params", "10"])
    with pytest.raises(SystemExit):
        cli.main()
    err = " ".join(capsys.readouterr().err.split())
    assert "199 rows" in err
    assert "0.png" in err


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--space", "conv-marco", "There is no space 'conv-marco'. Did you mean 'conv-macro'?"),
        ("--strategy", "rndom", "There is no strategy 'rndom'. Did you mean 'random'?"),
        ("--scheduler", "ahsa", "There is no scheduler 'ahsa'. Did you mean 'asha'?"),
        ("--device", "this-machin", "Unknown device 'this-machin'. Did you mean 'this-machine'?"),
        ("--device", "stm32f747", "Unknown device 'stm32f747'. Did you mean 'stm32f746'"),
        ("--metric", "acuracy", "Did you mean 'accuracy'"),
        ("--task", "clasification", "Did you mean 'classification'?"),
        ("--modality", "tabel", "Did you mean 'table'?"),
        ("--accelerator", "cpuu", "--accelerator cannot be 'cpuu'. Did you mean 'cpu'"),
        ("--control", "ful", "--control cannot be 'ful'. Did you mean 'full'?"),
        ("--objective", "parms", "--objective cannot be 'parms'. Did you mean 'params'?"),
        ("--group", "heigth", "Did you mean 'height'"),
        ("--budget", "0", "--budget is 0 s: it must be above 0."),
        ("--budget", "soon", "--budget 'soon' is not a duration. Write 90s, 3m or 1h30m."),
        ("--trials", "0", "--trials is 0: at least 1 trial is needed."),
        ("--workers", "0", "--workers is 0: at least 1 worker is needed."),
        ("--seed", "-1", "--seed is -1: it must be 0 or more."),
        ("--max-params", "-5", "max-params='-5' must be above zero"),
        ("--max-macs", "0", "max-macs='0' must be above zero"),
        ("--max-latency", "2kg", "max-latency='2kg' is not understood"),
        ("--max-memory", "lots", "max-memory='lots' is not understood"),
    ],
)
def test_options(refused: Refused, table: Path, option: str, value: str, sentence: str) -> None:
    assert sentence in refused("search", "table.csv", "--target", "kind", option, value)


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [
        ("--max-params", "2", "the least possible is"),
        ("--max-macs", "2", "the least possible is"),
        ("--max-memory", "2", "the least possible is"),
        ("--max-size", "10", "the least possible is"),
        ("--max-latency", "1us", "The network of the space 'tabular' with the fewest MACs takes"),
    ],
)
def test_limits_out_of_reach_are_refused_before_any_training(
    refused: Refused, table: Path, option: str, value: str, least: str
) -> None:
    sentence = refused("search", "table.csv", "--target", "kind", option, value)
    assert least in sentence
    assert "Raise the limit" in sentence
    assert "or give a space with" in sentence


def test_the_least_value_that_is_named_can_be_met(refused: Refused, table: Path) -> None:
    sentence = refused("search", "table.csv", "--target", "kind", "--max-params", "2")
    named = re.search(r"Raise the limit to (\w+) or more", sentence)
    assert named is not None
    with pytest.raises(pytest.fail.Exception, match="the run began"):
        nasturtium.search(str(table), target="kind", max_params=named[1])


TAKES_ONE = "takes one objective, and there are 2 (accuracy, "


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--strategy reinforce --objective latency", f"The strategy 'reinforce' {TAKES_ONE}latency_ms). Give one, or"),
        ("--strategy bananas --objective params", f"The strategy 'bananas' {TAKES_ONE}params). Give one, or use"),
        ("--strategy cma-es --objective macs", f"The strategy 'cma-es' {TAKES_ONE}macs). Give one, or use"),
        ("--strategy cma-es --space own.py:plain", "cma-es evolves numbers, and the space 'plain' has none"),
        ("--strategy nsga3", "The strategy nsga3 needs two objectives or more, and there is one"),
        ("--scheduler curve-extrapolation --objective params", "The scheduler 'curve-extrapolation' ends trainings"),
    ],
)
def test_what_cannot_search_for_these_objectives_is_refused_before_any_training(
    refused: Refused, table: Path, tmp_path: Path, options: str, sentence: str
) -> None:
    (tmp_path / "own.py").write_text(
        "from nasturtium import Space, choice\n"
        "from nasturtium.blocks import Dense, Embed, Head, sequence\n"
        "def plain(task):\n"
        "    root = sequence(embed=Embed(4), one=Dense(width=choice(4, 8)), head=Head(task))\n"
        "    return Space(root, task, 'plain')\n"
    )
    assert sentence in refused("search", "table.csv", "--target", "kind", "--trials", "3", *options.split())


def test_proxies_that_do_not_suit_the_task_are_refused_before_any_training(refused: Refused, table: Path) -> None:
    sentence = refused("search", "table.csv", "--target", "width", "--proxies", "nwot,epe-nas", "--trials", "3")
    assert "epe_nas compares rows of one class, so it needs a classification task, not regression. " in sentence


def test_files_with_a_space(refused: Refused, table: Path, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "def wide(task):\n    raise KeyError('width')\n\n\ndef fine(task):\n    return 3\n"
    )
    base = ("search", "table.csv", "--target", "kind", "--space")
    assert "own.py, line 2: `raise KeyError('width')`" in refused(*base, "own.py:wide")
    assert "own.py has no 'fin'. Did you mean 'fine'" in refused(*base, "own.py:fin")
    assert "root is not a block" in refused(*base, "own.py:fine")
    assert "needs the form file.py:NAME" in refused(*base, "own.py")
    assert "does not exist" in refused(*base, "gone.py:wide")
    (tmp_path / "broken.py").write_text("x = 1\ny = = 2\n")
    assert "broken.py, line 2: `y = = 2`" in refused(*base, "broken.py:y")


def test_output_directories(refused: Refused, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = ("search", "table.csv", "--target", "kind", "-o")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "manifest.json").write_text('{"schema": 1}')
    sentence = refused(*base, "old")
    assert "holds another run" in sentence
    assert "never overwritten" in sentence
    assert "nasturtium resume old" in sentence
    assert "holds other files" in refused(*base, ".")
    assert "'table.csv' is a file" in refused(*base, "table.csv")
    assert "cannot be made: 'table.csv' is a file" in refused(*base, "table.csv/run").replace(str(tmp_path) + "/", "")
    monkeypatch.setattr(folders.os, "access", lambda *given: False)
    assert "is read-only" in refused(*base, "new")


def test_a_disk_that_is_full_at_the_start_leaves_nothing(
    refused: Refused, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: object) -> None:
        path.write_text("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folders, "write_json", full)
    sentence = refused("search", "table.csv", "--target", "kind", "-o", "run")
    assert sentence == "nasturtium: The run directory run cannot be written: No space left on device."


def test_a_disk_that_fills_during_the_run_ends_it_in_a_sentence() -> None:
    with pytest.raises(UserError) as caught, explained(RunFolder(Path("runs/x")), True, Silent()):
        raise OSError(errno.ENOSPC, "No space left on device", "runs/x/work/jobs.jsonl")
    assert str(caught.value) == (
        "The run directory 'runs/x' cannot be written: No space left on device. Make room, then continue with: "
        "nasturtium resume runs/x"
    )
    with pytest.raises(ConnectionError), explained(RunFolder(Path("runs/x")), True, Silent()):
        raise ConnectionError(errno.ECONNRESET, "not about the disk")


@pytest.mark.parametrize("command", [("resume",), ("report",), ("predict", "table.csv"), ("dashboard",)])
def test_run_directories(refused: Refused, table: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    def run(place: str) -> str:
        return refused(command[0], place, *command[1:])

    assert "'nowhere' is not a run directory" in run("nowhere")
    (tmp_path / "run").mkdir()
    for manifest in ("[]", "{}", '{"schema": "x"}', "nonsense", "\0"):
        (tmp_path / "run" / "manifest.json").write_text(manifest)
        assert "The manifest of 'run'" in run("run")
    (tmp_path / "run" / "manifest.json").write_text('{"schema": 99}')
    assert "written by a newer Nasturtium (schema 99, this one reads 1)" in run("run")
    (tmp_path / "run" / "manifest.json").write_text('{"schema": 1}')
    assert re.search("damaged|no result yet|no exported network yet|no study yet", run("run"))


def test_a_run_from_data_in_memory_is_not_resumed(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    held = {"schema": 1, "resumable": False, "options": {}, "fingerprints": {}, "recipe": {}}
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(held))
    assert "data or a space in memory" in refused("resume", "run")


def test_no_memory_for_a_batch_fails_the_trial_alone() -> None:
    def evaluate(job: object, report: object) -> Outcome:
        raise MemoryError

    assert score(evaluate, None, None).failure == "out of memory"  # halving is tested in tests/training


def test_the_python_door_raises_the_same_sentences() -> None:
    with pytest.raises(UserError, match=r"no option 'stratgy'. Did you mean 'strategy'"):
        nasturtium.search("digits", stratgy="random")
    with pytest.raises(UserError, match="takes a Space first, not str"):
        nasturtium.search("digits", evaluate=lambda architecture: 0.0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"trials": 0}, "`trials` is 0: at least 1 trial is needed."),
        ({"budget": 0}, '`budget` is 0 s: it must be above 0. Write `budget="3m"`, for instance.'),
        ({"budget": "soon"}, "`budget` 'soon' is not a duration. Write 90s, 3m or 1h30m."),
        ({"workers": 0}, "`workers` is 0: at least 1 worker is needed."),
        ({"objectives": ("parms",)}, "`objectives` cannot be 'parms'. Did you mean 'params'?"),
        ({"max_params": -5}, "`max_params`=-5 must be above zero"),
        ({"accelerator": "cpuu"}, "`accelerator` cannot be 'cpuu'. Did you mean 'cpu' or 'cuda'?"),
        ({"proxies": ("nwot",), "strategy": "tpe"}, "`proxies` is for the strategy auto, and `strategy` is tpe, which"),
        ({"device": "stm32f746", "max_latency": "2ms"}, 'cannot be measured here. Give `max_macs="173k"` instead'),
    ],
)
def test_the_python_door_calls_options_by_their_names_in_python(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        nasturtium.search("digits", **options)  # type: ignore[arg-type]
    assert sentence in str(refused.value)
    assert "--" not in str(refused.value)
    if "trials" in options:
        with pytest.raises(UserError, match=r"^`trials` is 0: at least 1 trial is needed"):
            nasturtium.search(Space(choice(1, 2, 3), name="small"), evaluate=lambda architecture: 0.0, trials=0)


def test_commands_and_names_of_others_are_left_as_they_are() -> None:
    assert doctest.testmod(api).failed == 0
    for sentence in (
        "Make one with: nasturtium search SOURCE --strategy spos or ofa",
        "Update with: pip install --upgrade nasturtium",
        "Name it with --target (`target=` in Python).",
    ):
        assert api.in_python(sentence) == sentence


def test_own_evaluations_refuse_what_no_table_of_scores_can_serve() -> None:
    space = Space(choice(1, 2, 3), name="small")
    with pytest.raises(UserError, match="The strategy 'spos' trains the shared weights of a whole space"):
        nasturtium.search(space, evaluate=lambda architecture: 0.0, strategy="spos")
    with pytest.raises(UserError, match=r"The direction of 'score' is 'up'\. Write 'maximize' or 'minimize'"):
        nasturtium.search(space, evaluate=lambda architecture: 0.0, direction="up")  # type: ignore[arg-type]


def test_failed_evaluations_are_counted_in_what_is_shown() -> None:
    space = Space(choice(1, 2, 3), name="small")
    found = nasturtium.search(space, evaluate=lambda architecture: 1 / (architecture.tree - 2), trials=3)
    assert repr(found).startswith("OwnResult(score=1, trials=3, failed=1, best=")


def test_real_processes_end_with_code_2_and_write_nothing(
    cli: Callable[..., subprocess.CompletedProcess[str]], small_digits: Path, tmp_path: Path
) -> None:
    for arguments, sentence in (
        (("search", str(small_digits), "--max-params", "10", "-o", "run"), "the least possible is"),
        (("search", "digts"), "Did you mean 'digits'"),
        (("search", "digits", "--trials", "many"), "Invalid value for '--trials'"),
        (("space", "show", "conv-marco"), "Did you mean 'conv-macro'?"),
    ):
        done = cli(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stdout == ""
        assert sentence in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
        assert list(tmp_path.iterdir()) == []
