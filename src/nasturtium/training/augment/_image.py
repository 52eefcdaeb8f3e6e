"""Images: one affine map (flip, rotation, scale, shear, shift) per row, then cutout and noise."""

from dataclasses import dataclass
from math import pi

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from nasturtium.training._recipe import Augmentation


def border_value(inputs: Float[Tensor, "rows channels height width"]) -> Float[Tensor, "1 channels 1 1"] | None:
    """The colour that most of the border has, or None if there is no such colour (photographs).

    Drawings and scans are moved over their own background, whatever its value after standardisation.
    """
    sample = inputs[:1000]
    channels = sample.shape[1]
    edge = torch.cat(
        [sample[:, :, 0, :], sample[:, :, -1, :], sample[:, :, :, 0], sample[:, :, :, -1]], dim=2
    )  # [rows, channels, border pixels]
    values = edge.transpose(0, 1).reshape(channels, -1)
    middle = values.median(dim=1, keepdim=True).values
    if (values == middle).float().mean() < 0.5:
        return None
    return middle.reshape(1, channels, 1, 1)


@dataclass(frozen=True)
class ImageAugmenter:
    """background: value outside the image; None repeats the border pixels."""

    recipe: Augmentation
    background: Float[Tensor, "1 channels 1 1"] | None

    def __call__(
        self, images: Float[Tensor, "rows channels height width"], generator: torch.Generator
    ) -> Float[Tensor, "rows channels height width"]:
        r = self.recipe
        if r.shift or r.rotate or r.scale or r.shear:
            images = self._warp(images, generator)
        elif r.flip:
            mirrored = torch.rand(len(images), generator=generator).to(images.device) < 0.5
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        if r.cutout:
            images = self._cut(images, generator)
        if r.noise:
            images = images + r.noise * torch.randn(images.shape, generator=generator).to(images.device)
        return images

    def _warp(self, images: Tensor, generator: torch.Generator) -> Tensor:
        grid = _grid(self._affine(len(images), generator).to(images.device), images.shape[2], images.shape[3])
        if self.background is None:
            return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
        moved = functional.grid_sample(images - self.background, grid, padding_mode="zeros", align_corners=False)
        return moved + self.background

    def _affine(self, rows: int, generator: torch.Generator) -> Float[Tensor, "rows 2 3"]:
        """Maps of output to input coordinates in [-1, 1]."""
        r = self.recipe
        draw = 2 * torch.rand(7, rows, generator=generator) - 1
        angle = draw[0] * r.rotate * pi / 180
        across, down = (1 + r.scale) ** draw[1], (1 + r.scale) ** draw[2]
        if r.flip:
            across = torch.where(draw[6] < 0, -across, across)
        shear = draw[3] * r.shear
        cos, sin = angle.cos(), angle.sin()
        first = torch.stack([across * cos, across * (shear * cos - sin), 2 * r.shift * draw[4]], dim=1)
        second = torch.stack([down * sin, down * (shear * sin + cos), 2 * r.shift * draw[5]], dim=1)
        return torch.stack([first, second], dim=1)

    def _cut(self, images: Tensor, generator: torch.Generator) -> Tensor:
        rows, _, height, width = images.shape
        place = torch.rand(2, rows, 1, 1, 1, generator=generator).to(images.device)
        y = torch.arange(height, device=images.device).reshape(1, 1, height, 1)
        x = torch.arange(width, device=images.device).reshape(1, 1, 1, width)
        half = self.recipe.cutout / 2
        inside = ((y + 0.5 - place[0] * height).abs() < half * height) & (
            (x + 0.5 - place[1] * width).abs() < half * width
        )
        fill = self.background if self.background is not None else images.new_zeros(())
        return torch.where(inside, fill, images)


def _grid(affine: Float[Tensor, "rows 2 3"], height: int, width: int) -> Float[Tensor, "rows height width 2"]:
    """`functional.affine_grid` by broadcasting: its small matrix products cost twice the sampling on a CPU."""
    x = (torch.arange(width, device=affine.device) + 0.5) * (2 / width) - 1
    y = (torch.arange(height, device=affine.device) + 0.5) * (2 / height) - 1
    rows = affine[:, :, :, None, None]
    planes = [torch.addcmul(rows[:, k, 1] * y[:, None] + rows[:, k, 2], rows[:, k, 0], x) for k in range(2)]
    return torch.stack(planes, dim=-1)
