"""NumPy arrays, and `.npz` files of them."""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Shaped

from nasturtium.data.names import check_names
from nasturtium.data.raw import SPLIT_NAMES, Found, Roles
from nasturtium.errors import DataError, hint

FEATURE_KEYS = ("x", "data", "images", "image", "features", "inputs", "input", "signals", "sequences")
TARGET_KEYS = ("y", "labels", "label", "target", "targets", "class", "classes")
_PARTS = {"train": ("train", "training"), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}

Array = Shaped[np.ndarray, "..."]


def to_array(values: Any, name: str) -> Array:
    """A NumPy array of anything like one (lists, tensors on any device, series)."""
    if hasattr(values, "detach"):  # a torch tensor, told without importing torch
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} cannot be read as an array: {error}") from error
    if array.ndim == 0:
        raise DataError(f"{name} must hold one entry a row, but it is a single {type(values).__name__}.")
    return array


def read_arrays(features: Any, target: Any, roles: dict[str, Any], name: str = "the arrays") -> Found:
    """`X [rows, ...]` and `y [rows]` or `[rows, labels]`. Roles are a value a row."""
    x, y = to_array(features, "X"), to_array(target, "y")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim > 2:
        raise DataError(f"y has the shape {y.shape}; it must be [rows] or [rows, labels].")
    if len(x) != len(y):
        raise DataError(f"X has {len(x):,} rows, but y has {len(y):,}. They must agree.")
    return Found(name, x, y, roles=role_arrays(roles))


def role_arrays(roles: dict[str, Any]) -> Roles:
    return Roles(**{role: _role_array(role, value) for role, value in roles.items()})


def _role_array(role: str, value: Any) -> Array | None:
    if isinstance(value, str):
        raise DataError(f"`{role}` is {value!r}, but arrays have no column names: give one value a row.")
    return None if value is None else to_array(value, role)


def read_npz(path: Path, target: str | None, roles: dict[str, Any]) -> Found:
    """Features under `X`, `data`, `images` …, the target under `y`, `labels`, `target` … (or the key `target` names).

    `X_train, y_train, X_test, y_test` (and `_val`) are the user's own split. Roles name keys.
    """
    held = read_keys(path)
    parts = [part for part in SPLIT_NAMES if _find(held, FEATURE_KEYS, part)]
    if not _find(held, FEATURE_KEYS, None) and "train" in parts:
        return _read_parts(held, parts, path.name, roles)
    x_key = _find(held, FEATURE_KEYS, None)
    y_key = target or _find(held, TARGET_KEYS, None)
    keys = ", ".join(held)
    if x_key is None:
        raise DataError(f"{path.name} has no array 'X' (or data, images, features). It holds: {keys}.")
    if y_key is None or y_key not in held:
        missing = f"{target!r}. {hint(target, held)}" if target else f"'y' (or labels, target). It holds: {keys}."
        raise DataError(f"{path.name} has no array {missing}")
    for role, key in roles.items():
        if isinstance(key, str) and key not in held:
            raise DataError(f"{path.name} has no array {key!r} for `{role}`. {hint(key, held)}")
    named = {role: held[key] if isinstance(key, str) else key for role, key in roles.items()}
    return read_arrays(held[x_key], held[y_key], named, path.name)


def read_keys(path: Path) -> dict[str, Array]:
    """Every array of the file. Objects are refused, because reading them could run code."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if not hasattr(file, "files"):
                raise DataError(f"{path.name} holds one array without a name. Save X and y with np.savez.")
            check_names(file.files, path.name)
            return {key: _read_key(file, key, path.name) for key in file.files}
    except (OSError, BadZipFile, EOFError) as error:
        raise DataError(f"{path.name} cannot be read as .npz: {error}") from error
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path.name} cannot be read as .npz without unpickling, which is unsafe.") from error


def _read_key(file: Any, key: str, name: str) -> Array:
    try:
        array = file[key]
    except ValueError as error:
        if "pickle" not in str(error).lower():
            raise
        raise DataError(
            f"The array {key!r} of {name} holds Python objects, which cannot be read safely. Save numbers or text."
        ) from error
    return np.asarray(array)


def _find(held: dict[str, Array], names: tuple[str, ...], part: str | None) -> str | None:
    """The key that spells one of `names`, for the given part of a split (`X_train`, `train_images`, `x-val` …)."""
    plain = {key.lower().replace("-", "_"): key for key in held}
    for name in names:
        for word in _PARTS[part] if part else ("",):
            for spelled in (f"{name}_{word}", f"{word}_{name}", f"{name}{word}", f"{word}{name}") if word else (name,):
                if spelled in plain:
                    return plain[spelled]
    return None


def _read_parts(held: dict[str, Array], parts: list[str], name: str, roles: dict[str, Any]) -> Found:
    named = next((role for role, value in roles.items() if value is not None), None)
    if named is not None:
        raise DataError(f"{name} brings its own split, so `{named}` cannot be used with it.")
    pieces = []
    for part in parts:
        x_key, y_key = _find(held, FEATURE_KEYS, part), _find(held, TARGET_KEYS, part)
        if y_key is None:
            raise DataError(f"{name} has {x_key!r} but no target for it, such as 'y_{part}'.")
        pieces.append(read_arrays(held[str(x_key)], held[y_key], {}, f"{name} ({part})"))
    shapes = {piece.features.shape[1:] for piece in pieces if isinstance(piece.features, np.ndarray)}
    if len(shapes) > 1:
        raise DataError(f"The parts of {name} have rows of different shapes: {', '.join(map(str, sorted(shapes)))}.")
    words = np.repeat(parts, [len(piece.features) for piece in pieces])
    return Found(
        name,
        np.concatenate([np.asarray(piece.features) for piece in pieces]),
        np.concatenate([np.asarray(piece.target) for piece in pieces]),
        roles=Roles(split=words),
    )


def read_features(path: Path) -> Array:
    """The features in an `.npz` of new rows: under a usual key, or the only array there is."""
    held = read_keys(path)
    key = _find(held, FEATURE_KEYS, None) or (next(iter(held)) if len(held) == 1 else None)
    if key is None:
        raise DataError(f"{path.name} has no array 'X' (or data, images, features). It holds: {', '.join(held)}.")
    return held[key]
