"""The folder `best/` of a run: every file of the model that ships, checked before it appears."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped
from safetensors.torch import save
from torch import Tensor, nn

from nasturtium.blocks import Call
from nasturtium.errors import RunError
from nasturtium.export._check import Agreement, compare, run_onnx, run_script
from nasturtium.export._folder import whole
from nasturtium.export._script import write_script
from nasturtium.export.card import CardFacts, card, summary
from nasturtium.export.deployable import Deployable, targets
from nasturtium.hardware.onnx_file import write_onnx
from nasturtium.training import predict

CHECK_ROWS = 512
"""Real rows on which the files are compared with the trained model, at most."""


@dataclass(frozen=True)
class ExportReport:
    """files: what was written, by kind ("onnx", "source", "weights", …), as paths below the folder.

    checks: each file against the trained model. sizes: bytes by file name. notices: what a reader must know, such as
    why there is no model.py; sentences.
    """

    files: dict[str, str]
    checks: tuple[Agreement, ...]
    sizes: dict[str, int]
    notices: tuple[str, ...] = ()


def write_best(
    folder: Path,
    deployable: Deployable,
    preprocessing: str,
    architecture_json: str | None,
    rows: Shaped[np.ndarray, "rows ..."],
    facts: CardFacts | None = None,
) -> ExportReport:
    """Write the model that ships; all files or none.

    folder: appears (or is replaced) at the end. preprocessing: `data.Preprocessing.to_json()`.
    architecture_json: `Architecture.to_json()`; None for simple models, which get their class and its arguments.
    rows: raw input rows `[rows, *task.input.tensor_shape]` to check the files on; the first 512 are used.
    Raises `RunError` if a file does not give what the trained model gives, or cannot be written.
    """
    facts = facts or CardFacts()
    module = deployable.module()
    some = np.array(rows[:CHECK_ROWS], dtype=np.float32, order="C")  # a copy: the rows may be a read-only map of a file
    expected = predict(module, torch.from_numpy(some))
    encoding = json.loads(preprocessing)["input"]
    script = write_script(deployable, encoding, summary(deployable, facts.data))
    notices = [f"There is no model.py, because the model cannot stand alone: {'; '.join(script.missing)}."] * (
        not script.text
    )
    with whole(Path(folder)) as place:
        (place / "architecture.json").write_text(architecture_json or _described(deployable.call), encoding="utf-8")
        (place / "preprocessing.json").write_text(preprocessing, encoding="utf-8")
        (place / "weights.safetensors").write_bytes(save(_separate(deployable.state)))
        _write_onnx(deployable, module, place / "model.onnx")
        checks = [compare("model.onnx", expected, run_onnx(place / "model.onnx", some), deployable.task)]
        if script.text is not None:
            (place / "model.py").write_text(script.text, encoding="utf-8")
            try:
                scores, _ = run_script(place, some, _homes(deployable.call))
                checks.append(compare("model.py", expected, scores, deployable.task))
            except RunError as error:
                if not _homes(deployable.call):
                    raise
                (place / "model.py").unlink()  # a user's own class may need what no syntax tree shows
                notices.append(f"There is no model.py, because the model cannot stand alone: {error}")
        alone = (place / "model.py").exists()
        text = card(deployable, encoding, facts, checks, notices, alone)
        (place / "MODEL_CARD.md").write_text(text, encoding="utf-8")
        sizes = {file.name: file.stat().st_size for file in sorted(place.iterdir())}
    return ExportReport(_files(sizes), tuple(checks), sizes, tuple(notices))


def write_card(folder: Path, deployable: Deployable, facts: CardFacts, report: ExportReport) -> None:
    """Write the card again, with figures that were not known when `folder` was written."""
    encoding: dict[str, Any] = json.loads((folder / "preprocessing.json").read_text(encoding="utf-8"))["input"]
    text = card(deployable, encoding, facts, report.checks, report.notices, "source" in report.files)
    (folder / "MODEL_CARD.md").write_text(text, encoding="utf-8")


def _write_onnx(deployable: Deployable, module: nn.Module, path: Path) -> None:
    try:
        write_onnx(module, deployable.task.input, path)
    except OSError:
        raise
    except Exception as error:  # torch raises many kinds, for a user's module as well as for its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise RunError(f"The model {deployable.name!r} cannot be written as an ONNX file: {reason}") from error


def _separate(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies, since the format refuses tensors that share memory."""
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}


def _described(call: Call) -> str:
    """JSON of a simple model: its class and the arguments."""
    name = getattr(call.target, "__name__", str(call.target))
    return json.dumps({"model": name, "arguments": dict(call.kwargs)}, indent=1, default=str)


def _homes(call: Call) -> list[str]:
    """Modules of the user's own classes."""
    homes = {getattr(target, "__module__", "") for target in targets(call)}
    return sorted(home for home in homes if home.split(".")[0] not in ("torch", "nasturtium"))


def _files(sizes: dict[str, int]) -> dict[str, str]:
    kinds = {
        "onnx": "model.onnx",
        "source": "model.py",
        "weights": "weights.safetensors",
        "architecture": "architecture.json",
        "preprocessing": "preprocessing.json",
        "card": "MODEL_CARD.md",
    }
    return {kind: name for kind, name in kinds.items() if name in sizes}
