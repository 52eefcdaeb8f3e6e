"""From split data to what a search may see, and what it may not."""

import numpy as np
from jaxtyping import Int, Shaped

from nasturtium.data.development import Development
from nasturtium.data.hashing import array_fingerprint
from nasturtium.data.image_input import ImageInput
from nasturtium.data.load import take_rows
from nasturtium.data.preprocessing import Preprocessing, fit_preprocessing
from nasturtium.data.raw import Images, RawData
from nasturtium.data.resplits import Layout
from nasturtium.data.sealed import SealedTest
from nasturtium.data.splits import Splits
from nasturtium.data.table_input import TableInput
from nasturtium.data.task_inference import strata

Rows = Shaped[np.ndarray, "rows ..."]


def prepare(raw: RawData, splits: Splits) -> tuple[Development, SealedTest]:
    """Fits the preprocessing on the train rows, encodes everything, and seals the test rows away."""
    fitted = fit_preprocessing(raw, splits.train)
    rows = np.sort(np.concatenate([splits.train, splits.validation]))
    targets = raw.target.astype(np.float32) if raw.kind == "regression" else raw.target
    units = raw.groups if raw.groups is not None else splits.repeats if splits.together else np.arange(raw.rows)
    layout = Layout(
        units[rows],
        strata(raw.target[rows], raw.kind),
        np.zeros(0) if raw.times is None else raw.times[rows],
        raw.groups is not None,
    )
    train = np.isin(rows, splits.train)
    development = Development(fitted, _encoded(raw, fitted, rows), targets[rows], train, layout, splits.seed)
    inputs, answers = _encoded(raw, fitted, splits.test), targets[splits.test]
    for array in (inputs, answers):
        array.flags.writeable = False
    return development, SealedTest(inputs, answers, array_fingerprint(inputs, answers))


def _encoded(raw: RawData, fitted: Preprocessing, rows: Int[np.ndarray, " taken"]) -> Rows:
    features = take_rows(raw.features, rows)
    if isinstance(features, Images) and isinstance(fitted.input, ImageInput):
        return fitted.input.decoded(features.items)
    if isinstance(fitted.input, TableInput) and not isinstance(features, Images | np.ndarray):
        return fitted.input.encode_tidy(features, raw.name)
    return np.ascontiguousarray(features)
