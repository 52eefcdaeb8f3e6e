"""Are zero-cost proxies worth a look? As long as the trials have not shown that params or MACs rank them better."""

from functools import lru_cache

import numpy as np

from nasturtium.predictors.correlation import BASELINES, LEAST_TRIALS, useful
from nasturtium.predictors.gp_views import LEADING, Views
from nasturtium.space import Architecture
from nasturtium.strategies._model import Data, fitted_on

DOUBT = 0.1
"""A proxy is dropped where it ranks better than params and MACs in fewer than this share of bootstrap samples."""
JUDGED = 60
"""By the first so many trials: later ones are all good, and tell less of ranks."""


def trusted(data: Data, seen: Views) -> bool:
    """Does one of the leading proxies rank the trials no worse than params and MACs, as far as they can tell?"""
    judged = data.first(min(fitted_on(len(data.losses)), JUDGED))
    return len(judged.losses) < LEAST_TRIALS or _ranks(seen, judged.architectures, tuple(judged.losses[:, 0].tolist()))


@lru_cache(maxsize=64)
def _ranks(seen: Views, architectures: tuple[Architecture, ...], losses: tuple[float, ...]) -> bool:
    known = [seen.features(one) for one in architectures]
    costs = np.array([features["costs"][: len(BASELINES)] for features in known])
    proxies = np.array([features["proxies"][:LEADING] for features in known])
    scores = dict(zip(BASELINES, costs.T, strict=True)) | {str(place): row for place, row in enumerate(proxies.T)}
    return bool(useful(scores, np.array(losses), confidence=DOUBT))
