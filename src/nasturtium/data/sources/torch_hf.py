"""Torch and Hugging Face data sets, told by what they can do; neither library is imported."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nasturtium.data.raw import Found, Images, Roles
from nasturtium.data.sources.arrays import read_arrays, role_arrays, to_array
from nasturtium.data.sources.images import image_of_pixels, stack_images
from nasturtium.data.sources.tabular import found_in_table, to_pandas
from nasturtium.errors import DataError, hint

IMAGE_COLUMNS = ("image", "img", "images", "pixel_values")
LABEL_COLUMNS = ("label", "labels", "fine_label", "target", "y", "class")


def is_map_style(source: object) -> bool:
    """A torch `Dataset` with a length: `dataset[i]` gives `(x, y)`."""
    plain = isinstance(source, list | tuple | dict | np.ndarray | bytes)
    return hasattr(source, "__getitem__") and hasattr(source, "__len__") and not plain


def read_torch(dataset: Any, roles: dict[str, Any]) -> Found:
    """Every `(x, y)` of a map-style data set; x is a tensor, array, number or PIL image."""
    name = type(dataset).__name__
    items = [dataset[number] for number in range(len(dataset))]
    if not items:
        raise DataError(f"The data set {name} has no rows.")
    if not all(isinstance(item, tuple | list) and len(item) == 2 for item in items):
        raise DataError(f"Items of the data set {name} must be pairs (x, y), not {type(items[0]).__name__}.")
    classes = tuple(str(label) for label in getattr(dataset, "classes", None) or ())
    target = np.stack([_entry(y) for _, y in items])
    if hasattr(items[0][0], "getexif"):  # PIL images, told without importing Pillow
        images = stack_images([image_of_pixels(x) for x, _ in items])
        return Found(name, images, target, classes=classes, roles=role_arrays(roles))
    features = [_entry(x) for x, _ in items]
    shapes = {entry.shape for entry in features}
    if len(shapes) > 1:
        raise DataError(f"Items of the data set {name} differ in shape: {', '.join(map(str, sorted(shapes)[:3]))} …")
    found = read_arrays(np.stack(features), target, roles, name)
    return replace(found, classes=classes)


def _entry(value: Any) -> Any:
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def is_hugging_face(source: object) -> bool:
    """A `datasets.Dataset`, or a dict of splits of them."""
    if isinstance(source, Mapping):
        return len(source) > 0 and all(is_hugging_face(part) for part in source.values())
    return hasattr(source, "features") and hasattr(source, "column_names") and hasattr(source, "to_pandas")


def read_hugging_face(dataset: Any, target: str | None, roles: dict[str, Any]) -> Found:
    """Image and label columns, or a table. A dict of splits (train, validation, test) is the user's own split."""
    parts = dict(dataset) if isinstance(dataset, Mapping) else {"": dataset}
    first = next(iter(parts.values()))
    declared: Mapping[str, Any] = first.features
    label = target or next((column for column in LABEL_COLUMNS if column in declared), None)
    if label is None or label not in declared:
        asked = f"no column {label!r}. {hint(label, declared)}" if label else f"columns {', '.join(declared)}."
        raise DataError(f"Which column of the data set is the target? Name it with `target`; it has {asked}")
    classes = tuple(str(name) for name in getattr(declared[label], "names", None) or ())
    image = next((column for column in declared if type(declared[column]).__name__ == "Image"), None)
    image = image or next((column for column in IMAGE_COLUMNS if column in declared), None)
    if image is not None:
        found = _images(parts, image, label, roles)
    else:
        table = pd.concat([to_pandas(part) for part in parts.values()], ignore_index=True)
        found = found_in_table(table, "the data set", label, roles)
    found = replace(found, target_name=label, classes=classes, drops_missing=True)
    if len(parts) == 1:
        return found
    if found.roles.split is not None:
        raise DataError("The data set brings its own split, so `split` cannot be used with it.")
    return replace(
        found, roles=replace(found.roles, split=np.repeat(list(parts), [len(part) for part in parts.values()]))
    )


def _images(parts: dict[str, Any], image: str, label: str, roles: dict[str, Any]) -> Found:
    def column(name: str) -> list[Any]:
        return [value for part in parts.values() for value in part[name]]

    for role, name in roles.items():
        if isinstance(name, str) and name not in next(iter(parts.values())).features:
            raise DataError(f"The data set has no column {name!r} for `{role}`.")
    named = {role: to_array(column(name), role) for role, name in roles.items() if name is not None}
    pixels, target = column(image), to_array(column(label), label)
    if hasattr(pixels[0], "getexif"):
        features: Images | np.ndarray = stack_images([image_of_pixels(picture) for picture in pixels])
    else:
        features = np.stack([_entry(picture) for picture in pixels])
    return Found("the data set", features, target, label, roles=Roles(**named))
