"""An exported file in ONNX Runtime, on one thread."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from nasturtium.errors import RunError

BATCH = 256


class OnnxModel:
    """A session on a model with one input and one output and a free batch axis."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        if not path.is_file():
            raise RunError(f"There is no {path.name} in {str(path.parent)!r}. Did the run end?")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has its own family of exceptions
            raise RunError(f"{str(path)!r} cannot be opened by ONNX Runtime: {str(error).splitlines()[0]}") from error

    def scores(self, rows: Shaped[np.ndarray, "rows ..."]) -> Float[np.ndarray, "rows outputs"]:
        """Raw outputs for raw rows, in batches of 256."""
        entry = self.session.get_inputs()[0]
        wanted = tuple(entry.shape[1:])
        if tuple(rows.shape[1:]) != wanted:
            raise RunError(
                f"The model takes rows of shape {wanted}, but the rows have the shape {tuple(rows.shape[1:])}."
            )
        chunks = [rows[start : start + BATCH] for start in range(0, max(len(rows), 1), BATCH)]
        outputs = [self.session.run(None, {entry.name: np.ascontiguousarray(c, dtype=np.float32)})[0] for c in chunks]
        return np.concatenate(outputs)
