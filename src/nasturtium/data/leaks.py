"""Columns that alone predict the target almost perfectly: often the answer under another name."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from nasturtium.data.raw import RawData

FOLDS = 3
MOST_ROWS = 5_000
LEAST_ROWS = 30
MOST_COLUMNS = 256
MOST_LEAVES = 256
SUSPECT_GAIN = 0.97
SUSPECT_R2 = 0.98


@dataclass(frozen=True)
class Leak:
    """A suspicion. score: on held-out rows by this column alone; measure: "accuracy" or "R²".

    majority: what always saying the most frequent class (the mean) scores on the same rows.
    """

    column: str
    measure: str
    score: float
    majority: float


def suspected_leaks(raw: RawData, rows: Int[np.ndarray, " taken"]) -> tuple[Leak, ...]:
    """Tests each used column of a table by itself, on 3 held-out folds of (at most 5,000 of) the given rows.

    Numbers by a regression tree of at most 256 leaves, categories by their value. Suspected if the errors of the
    majority fall by 97 %, or R² reaches 0.98 (several targets: of any one). Nothing is tested on under 30 rows, and
    of very wide tables only the first 256 columns are.
    """
    if not isinstance(raw.features, pd.DataFrame) or len(rows) < LEAST_ROWS:
        return ()
    rng = np.random.default_rng([0, len(rows)])
    rows = rng.permutation(rows)[:MOST_ROWS]
    answers = _outputs(raw, rows)
    table = raw.features.iloc[rows]
    leaks = []
    for column in [column for column in raw.columns if column.used][:MOST_COLUMNS]:
        values = table[column.name]
        guessed, flat = _held_out(values, answers, by_value=column.kind == "category")
        leak = _judge(column.name, guessed, flat, answers, raw.kind == "classification")
        if leak is not None:
            leaks.append(leak)
    return tuple(leaks)


def _outputs(raw: RawData, rows: Int[np.ndarray, " taken"]) -> Float[np.ndarray, "rows outputs"]:
    if raw.kind == "classification":
        return np.eye(len(raw.classes))[raw.target[rows]]
    return raw.target[rows].astype(float)


def _held_out(
    values: pd.Series, answers: Float[np.ndarray, "rows outputs"], by_value: bool
) -> tuple[Float[np.ndarray, "rows outputs"], Float[np.ndarray, "rows outputs"]]:
    """What the column says of each row, and what the mean of the other folds says."""
    numbers = pd.factorize(values)[0] + 1.0 if by_value else values.to_numpy(dtype=float, na_value=np.nan)
    fold = np.arange(len(numbers)) % FOLDS
    guessed, flat = np.empty_like(answers), np.empty_like(answers)
    for number in range(FOLDS):
        seen, held = fold != number, fold == number
        flat[held] = answers[seen].mean(axis=0)
        predict = _by_value if by_value else _by_tree
        guessed[held] = predict(numbers[seen], answers[seen], numbers[held])
    return guessed, flat


def _by_value(
    seen: Float[np.ndarray, " seen"], answers: Float[np.ndarray, "seen outputs"], held: Float[np.ndarray, " held"]
) -> Float[np.ndarray, "held outputs"]:
    """Mean answer of the rows with the same value; of all rows for a value not seen."""
    codes, size = seen.astype(np.int64), int(max(seen.max(), held.max())) + 1
    counts = np.bincount(codes, minlength=size)
    sums = np.zeros((size, answers.shape[1]))
    np.add.at(sums, codes, answers)
    means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], answers.mean(axis=0))
    return means[held.astype(np.int64)]


def _by_tree(
    seen: Float[np.ndarray, " seen"], answers: Float[np.ndarray, "seen outputs"], held: Float[np.ndarray, " held"]
) -> Float[np.ndarray, "held outputs"]:
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(max_leaf_nodes=MOST_LEAVES, random_state=0)
    guessed: Float[np.ndarray, "held outputs"] = tree.fit(seen[:, None], answers).predict(held[:, None])
    return guessed.reshape(len(held), -1)


def _judge(
    column: str,
    guessed: Float[np.ndarray, "rows outputs"],
    flat: Float[np.ndarray, "rows outputs"],
    answers: Float[np.ndarray, "rows outputs"],
    classes: bool,
) -> Leak | None:
    if classes:
        truth = answers.argmax(axis=1)
        score = float((guessed.argmax(axis=1) == truth).mean())
        majority = float((flat.argmax(axis=1) == truth).mean())
        suspect = majority < 1 and (score - majority) / (1 - majority) >= SUSPECT_GAIN
        return Leak(column, "accuracy", score, majority) if suspect else None
    error, spread = ((guessed - answers) ** 2).sum(axis=0), ((flat - answers) ** 2).sum(axis=0)
    best = float((1 - error / np.maximum(spread, 1e-300)).max())
    return Leak(column, "R²", best, 0.0) if best >= SUSPECT_R2 else None
