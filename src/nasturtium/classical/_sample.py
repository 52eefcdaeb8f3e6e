"""A stated subsample of the training rows."""

import numpy as np
from jaxtyping import Int


def thin(targets: np.ndarray, most: int, seed: int) -> Int[np.ndarray, " kept"]:
    """At most about `most` row numbers, ascending; of each class its share and at least three rows (or all it has).

    targets: class ids `[rows]` are kept in proportion; anything else is drawn uniformly. seed: of the draw.
    """
    rows = np.arange(len(targets))
    if len(rows) <= most:
        return rows
    rng = np.random.default_rng([seed, 1])
    if targets.ndim > 1 or not np.issubdtype(targets.dtype, np.integer):
        return np.sort(rng.choice(rows, most, replace=False))
    kept = []
    for label in np.unique(targets):
        members = rng.permutation(rows[targets == label])
        kept.append(members[: max(3, round(most * len(members) / len(rows)))])
    return np.sort(np.concatenate(kept))
