"""Scores of several proxies joined by their ranks."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.proxies.registry import PROXIES


def log_rank_aggregate(
    scores: Mapping[str, Float[np.ndarray, " architectures"]],
) -> Float[np.ndarray, " architectures"]:
    """Sum over proxies of log(rank / n): higher is better, and one bad rank weighs more than several good ones.

    Lee and Ham 2024, AZ-NAS (arXiv:2403.19232). scores: of the same n architectures for each proxy; those
    of `PROXIES` where less is better are turned round. Equal scores share their mean rank; NaN ranks last. Raises
    `RunError` for no proxies, or for proxies with different numbers of scores.
    """
    lengths = {name: len(values) for name, values in scores.items()}
    if not lengths:
        raise RunError("Ranks of no proxy cannot be joined: give the scores of one at least.")
    if len(set(lengths.values())) > 1:
        raise RunError(f"Each proxy needs a score for each architecture, but the numbers of scores are {lengths}.")
    total = np.zeros(next(iter(lengths.values())))
    for name, values in scores.items():
        total += np.log(ranks(values, higher_is_better=name not in PROXIES or PROXIES[name].higher_is_better))
    return total


def ranks(values: Float[np.ndarray, " n"], *, higher_is_better: bool = True) -> Float[np.ndarray, " n"]:
    """Ranks in (0, 1], 1 for the best; equal values share their mean rank, and NaN ranks last."""
    from scipy.stats import rankdata

    signed = np.asarray(values, dtype=float) * (1 if higher_is_better else -1)
    return np.asarray(rankdata(np.where(np.isnan(signed), -np.inf, signed)) / len(signed))
