"""Hand a run's model over: copies of its exported files and of the evidence, each compared with the original."""

import hashlib
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nasturtium.errors import RunError
from nasturtium.report.result_schema import Check, Limit
from nasturtium.workflows.folder import RunFolder
from nasturtium.workflows.runs import open_result

Form = Literal["onnx", "pytorch", "all"]
FILES: dict[str, tuple[str, ...]] = {
    "onnx": ("model.onnx", "preprocessing.json", "MODEL_CARD.md"),
    "pytorch": ("model.py", "weights.safetensors", "preprocessing.json", "MODEL_CARD.md"),
}
EVIDENCE = ("report.html", "result.json")
"""What says how good the model is and why it was chosen; beside the run's `best/`, not in it."""


class Handed(BaseModel):
    """What was copied. checks, limits: of the run, on the very files that were copied."""

    model_config = ConfigDict(frozen=True)

    folder: str = Field(description="Where the files are.")
    files: dict[str, int] = Field(description="Bytes by file name.")
    checks: list[Check] = Field(description="Each file against the trained model, on real rows.")
    limits: list[Limit] = Field(description="Every limit, measured on the exported file.")
    notes: list[str] = Field(description="What was left out, and why; how to use the files.")


def copy_model(run: str, output: str, form: Form = "all") -> Handed:
    """Copy `best/` of a finished run to a folder that is new or empty; with form "all" its report and result too.

    Raises `RunError` for an unfinished run, a folder that holds something, and files that cannot be written.
    """
    folder, _, result = open_result(run)
    target = Path(output)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RunError(f"The folder {output!r} holds something, which is never overwritten. Name another.")
    wanted = _wanted(folder, form)
    there = {name: file for name, file in wanted.items() if file.is_file()}
    if form != "all" and FILES[form][0] not in there:
        raise RunError(f"{run!r} has no best/{FILES[form][0]}; its MODEL_CARD.md says why.")
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, file in there.items():
            shutil.copyfile(file, target / name)
    except OSError as error:
        raise RunError(f"The files cannot be written to {output!r}: {error.strerror or error}.") from error
    changed = [name for name, file in there.items() if _digest(file) != _digest(target / name)]
    if changed:
        raise RunError(f"The copy of {changed[0]} differs from the original. Is the disk full?")
    checked = [] if result.export is None else [one for one in result.export.checks if one.file in there]
    return Handed(
        folder=output,
        files={name: (target / name).stat().st_size for name in there},
        checks=checked,
        limits=result.limits,
        notes=_notes(there, wanted),
    )


def _wanted(folder: RunFolder, form: Form) -> dict[str, Path]:
    """The files by the name that they get."""
    if form != "all":
        return {name: folder.best / name for name in FILES[form]}
    model = dict.fromkeys((*FILES["onnx"], *FILES["pytorch"], "architecture.json"))
    return {name: folder.best / name for name in model} | {name: folder.path / name for name in EVIDENCE}


def _notes(there: Collection[str], wanted: Collection[str]) -> list[str]:
    missing = [name for name in wanted if name not in there]
    told = [f"There is no {name}; MODEL_CARD.md says why." for name in missing if name not in EVIDENCE]
    if "report.html" in missing:
        told.append("There is no report.html; write it with: nasturtium report RUN")
    if "result.json" in there:
        told.append("result.json names the files where they lie in the run; here they are side by side.")
    if "model.onnx" in there:
        told.append("model.onnx holds the pre-processing: raw rows in, scores out. Any ONNX runtime can run it.")
    if "model.py" in there:
        told.append("model.py needs torch only: `from model import load, predict`, with weights.safetensors beside it.")
    return told


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
