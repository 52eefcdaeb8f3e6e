"""Data sets that scikit-learn bundles, by name."""

from importlib import import_module

import numpy as np
import pandas as pd

from nasturtium.data.raw import Found
from nasturtium.errors import DataError, hint

BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def read_bundled(name: str) -> Found:
    """`digits`: images 1x8x8, values 0 to 16. The others: tables; diabetes (unscaled) is regression."""
    known = name.lower().replace("-", "_")
    if known not in BUNDLED:
        raise DataError(
            f"There is no file, folder or bundled data set {name!r}. {hint(name, BUNDLED)} "
            f"Or give a folder of images, or a .csv, .parquet or .npz file."
        )
    loader = getattr(import_module("sklearn.datasets"), f"load_{known}")
    if known == "digits":
        bunch = loader()
        return Found(known, bunch.images[:, None].astype(np.uint8), bunch.target, "digit")
    bunch = loader(scaled=False) if known == "diabetes" else loader()
    table = pd.DataFrame(bunch.data, columns=[str(column) for column in bunch.feature_names])
    classes = tuple(str(label) for label in getattr(bunch, "target_names", ()))
    return Found(known, table, pd.Series(bunch.target), "target", classes)
