"""Augmentation by modality. An augmenter changes many rows at once: small networks do not wait for Python."""

from collections.abc import Callable

import torch
from torch import Tensor

from nasturtium.task import Signal
from nasturtium.training._recipe import Augmentation
from nasturtium.training.augment._flips import flips_survive as flips_survive
from nasturtium.training.augment._image import ImageAugmenter, border_value
from nasturtium.training.augment._sequence import SequenceAugmenter
from nasturtium.training.augment._table import TableAugmenter

Augmenter = Callable[[Tensor, torch.Generator], Tensor]
"""(rows, generator) -> new rows of the same shape. The generator is on the CPU; the rows may be elsewhere."""


def build_augmenter(recipe: Augmentation, signal: Signal, inputs: Tensor) -> Augmenter | None:
    """The augmenter for a modality, or None if the recipe asks for nothing there (mixup is the loop's).

    inputs: training rows, from which the value behind an image's border is learnt.
    """
    if signal.kind == "image":
        if not any((recipe.flip, recipe.shift, recipe.rotate, recipe.scale, recipe.shear, recipe.cutout, recipe.noise)):
            return None
        return ImageAugmenter(recipe, border_value(inputs))
    if signal.kind == "sequence":
        if not any((recipe.shift, recipe.scale, recipe.cutout, recipe.noise)):
            return None
        return SequenceAugmenter(recipe)
    return TableAugmenter(recipe.noise, signal.shape[0]) if recipe.noise else None


__all__ = ["Augmenter", "build_augmenter", "flips_survive"]
