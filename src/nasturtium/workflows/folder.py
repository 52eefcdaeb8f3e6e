"""The run directory: its files, and the promise that another run is never overwritten."""

import contextlib
import fcntl
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nasturtium.errors import RunError

MANIFEST_SCHEMA = 1
LIBRARIES = ("nasturtium", "torch", "numpy", "scikit-learn", "optuna", "onnx", "onnxruntime")


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run directory. `work` holds what only a running or interrupted search needs."""

    path: Path

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def journal(self) -> Path:
        return self.path / "study.journal"

    @property
    def control_journal(self) -> Path:
        return self.path / "control.journal"

    @property
    def one_shot(self) -> Path:
        """How a search by weight sharing went, and what it derived."""
        return self.path / "one_shot.json"

    @property
    def supernet(self) -> Path:
        """The shared weights of such a search (`supernet.checkpoint`): an audit and a family read them."""
        return self.path / "supernet.safetensors"

    @property
    def answers(self) -> Path:
        """What a language model answered, where one was asked (see the strategy `llm`)."""
        return self.path / "llm.jsonl"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def best(self) -> Path:
        return self.path / "best"

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def checkpoints(self) -> Path:
        return self.work / "checkpoints"

    @property
    def clock(self) -> Path:
        return self.work / "clock.json"

    @property
    def openings(self) -> tuple[str, ...]:
        """Why the test set was opened, each time, in this run and in the parts before it was resumed."""
        path = self.work / "openings.json"
        return tuple(json.loads(path.read_text())) if path.exists() else ()

    def record_opening(self, reason: str) -> None:
        """Written down before the test set opens, so that a run that is killed there has still opened it."""
        write_json(self.work / "openings.json", [*self.openings, reason])

    @property
    def spent_s(self) -> float:
        """Seconds that earlier parts of this run took, as last written."""
        try:
            return float(json.loads(self.clock.read_text())["seconds"])
        except (OSError, ValueError, KeyError):
            return 0.0

    def start(self, manifest: dict[str, Any]) -> None:
        """Make the directories and write the manifest, last, so that a directory with one is a run."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.work.mkdir()
        except FileExistsError:
            raise RunError(
                f"Another run has just begun in {str(self.path)!r}. Start again, or choose a directory with --output."
            ) from None
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self.checkpoints.mkdir()
            write_json(self.manifest, {"schema": MANIFEST_SCHEMA, **manifest})
        except OSError as error:
            shutil.rmtree(self.path, ignore_errors=True)  # ours alone: there was no `work` in it
            raise self._unwritable(error) from error

    @contextlib.contextmanager
    def owned(self) -> Iterator[None]:
        """Only one process at a time runs or resumes this run: the kernel's lock, which a killed one cannot leave."""
        with open(self.work / "lock", "w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(
                    f"Another process is running the search in {str(self.path)!r}. Wait for it, or stop it first."
                ) from None
            yield

    def _unwritable(self, error: OSError) -> RunError:
        with contextlib.suppress(OSError):  # where it is empty
            self.path.rmdir()
        return RunError(f"The run directory {self.path} cannot be written: {error.strerror or error}.")

    def clean(self) -> None:
        """Remove what only a running search needs."""
        shutil.rmtree(self.work, ignore_errors=True)


def new_folder(output: str | None, name: str) -> RunFolder:
    """An unused run directory: `output`, or `runs/NAME`, `runs/NAME-2` … Nothing is made yet."""
    if output is None:
        stem = re.sub(r"[^\w-]+", "-", Path(name).stem).strip("-") or "run"
        candidates = (Path("runs") / (stem if k == 1 else f"{stem}-{k}") for k in range(1, 10_000))
        return RunFolder(next(path for path in candidates if not path.exists()))
    path = Path(output)
    if path.is_file():
        raise RunError(f"The output {output!r} is a file. Give a directory that does not exist yet.")
    if path.is_dir() and any(path.iterdir()):
        what = "another run" if (path / "manifest.json").exists() else "other files"
        mend = " or continue it with: nasturtium resume " + output if what == "another run" else ""
        raise RunError(f"The output directory {output!r} holds {what}, never overwritten. Choose another{mend}.")
    return RunFolder(writable(path))


def writable(path: Path) -> Path:
    """The path, which is there or can be made. Raises `RunError` where it cannot."""
    parent = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not parent.is_dir():
        raise RunError(f"The output directory {str(path)!r} cannot be made: {str(parent)!r} is a file.")
    if not os.access(parent, os.W_OK):
        raise RunError(f"The output directory {str(path)!r} cannot be written: {str(parent)!r} is read-only.")
    return path


def open_folder(path: str) -> tuple[RunFolder, dict[str, Any]]:
    """An existing run and its manifest. Raises `RunError` if it is none, or of a newer schema."""
    folder = RunFolder(Path(path))
    if not folder.manifest.is_file():
        raise RunError(f"{path!r} is not a run directory: it has no manifest.json.")
    try:
        manifest = json.loads(folder.manifest.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"The manifest of {path!r} cannot be read: {error}.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("schema"), int):
        raise RunError(f"The manifest of {path!r} is not one of Nasturtium's: it says no schema.")
    if manifest["schema"] > MANIFEST_SCHEMA:
        raise RunError(
            f"{path!r} was written by a newer Nasturtium (schema {manifest['schema']}, this one reads "
            f"{MANIFEST_SCHEMA}). Update with: pip install --upgrade nasturtium"
        )
    return folder, manifest


def write_json(path: Path, content: Any) -> None:
    """Whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, path)


def surroundings() -> dict[str, Any]:
    """Versions, hardware and command: what a replay needs to know."""
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES},
        "hardware": {"machine": platform.machine(), "processor": _processor(), "cores": os.cpu_count()},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
