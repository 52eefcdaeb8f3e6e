"""EPE-NAS: are the gradients by the inputs alike within a class?

Lopes, Alirezazadeh and Alexandre 2021, "EPE-NAS: efficient performance estimation without training for neural
architecture search", ICANN; arXiv:2102.08099.
"""

import numpy as np

from nasturtium.proxies._passes import Passes
from nasturtium.proxies.jacov import SMALL, correlate

MOST_CLASSES = 100
"""Up to here the score adds up classes; beyond, it compares them."""


def epe_nas(passes: Passes) -> float:
    """Sum over classes of |sum of log(|correlation| + k)| between the rows of the class; k = 1e-5.

    With more than 100 classes, means over rows in place of sums, and the mean over classes of the sum of their
    absolute differences. The gradients are those of `jacov`; NaN where one is constant. Classification only.
    """
    gradients = passes.input_gradients.double().cpu().numpy()
    targets = passes.batch.targets.cpu().numpy()
    many = passes.batch.task.outputs > MOST_CLASSES
    sums: list[float] = []
    for label in np.unique(targets):
        rows = gradients[targets == label]
        if many and len(rows) == 1:
            continue  # as the authors' code: one row says nothing of the likeness within its class
        logs = np.log(np.abs(correlate(rows)) + SMALL)
        sums.append(float(logs.sum() / len(rows) if many else logs.sum()))
    values = np.array(sums)
    if many:
        return float(np.abs(values[:, None] - values).sum() / max(1, len(values)))
    return float(np.abs(values).sum())
