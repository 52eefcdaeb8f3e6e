"""Means and deviations for the standardisation inside the network."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from nasturtium.data.development import Development

CHUNK = 4096


@dataclass(frozen=True)
class InputStatistics:
    """Per channel (images, sequences) or per numeric column (tables, missing values ignored), in the input's units.

    A deviation of 0 is given as 1. target_mean, target_std: per target, for regression; empty otherwise.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    target_mean: tuple[float, ...] = ()
    target_std: tuple[float, ...] = ()


def input_statistics(development: Development, rows: Int[np.ndarray, " rows"]) -> InputStatistics:
    """Over the given rows (those that train); population deviations."""
    signal = development.task.input
    mean, std = _moments(development.inputs, rows, signal.shape[0])
    if development.task.kind != "regression":
        return InputStatistics(mean, std)
    return InputStatistics(mean, std, *_moments(development.targets, rows, development.task.outputs))


def _moments(
    values: Shaped[np.ndarray, "rows channels ..."], rows: Int[np.ndarray, " rows"], channels: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Two passes over chunks of rows, in float64, so that large means do not eat small deviations."""
    count, total, square = np.zeros(channels), np.zeros(channels), np.zeros(channels)
    for chunk in _chunks(values, rows, channels):
        count += (~np.isnan(chunk)).sum(axis=(0, 2))
        total += np.nansum(chunk, axis=(0, 2))
    mean = total / np.maximum(count, 1)
    for chunk in _chunks(values, rows, channels):
        square += np.nansum((chunk - mean[:, None]) ** 2, axis=(0, 2))
    std = np.sqrt(square / np.maximum(count, 1))
    std = np.where(std > 1e-7 * np.maximum(np.abs(mean), 1e-30), std, 1.0)
    return tuple(mean.tolist()), tuple(std.tolist())


def _chunks(
    values: Shaped[np.ndarray, "rows channels ..."], rows: Int[np.ndarray, " rows"], channels: int
) -> Iterator[Float[np.ndarray, "rows channels places"]]:
    picked = (values[rows[start : start + CHUNK]] for start in range(0, len(rows), CHUNK))
    return (np.asarray(part[:, :channels], dtype=float).reshape(len(part), channels, -1) for part in picked)
