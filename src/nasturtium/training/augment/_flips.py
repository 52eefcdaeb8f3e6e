"""Do labels survive a mirror? Measured, because nobody else knows: letters do not, clothes do."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

SAMPLE = 2000
KEPT = 0.7


@torch.no_grad()
def flips_survive(
    inputs: Float[Tensor, "rows channels height width"], targets: Int[Tensor, " rows"], seed: int = 0
) -> bool:
    """True if mirrored training images still look like their own class.

    A nearest-neighbour classifier on at most 2,000 training rows (each row's own copy left out) is asked for the class
    of every row and of its mirror image. The mirror survives if in every class that the classifier knows at all the
    mirrored rows are recognised at least 0.7 times as often as the rows themselves. Deterministic for a seed.
    """
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(seed))[:SAMPLE]
    rows, labels = inputs[order].float(), targets[order]
    flat, mirrored = rows.flatten(1), rows.flip(3).flatten(1)
    own = torch.cdist(flat, flat).fill_diagonal_(float("inf")).argmin(1)
    other = torch.cdist(mirrored, flat).fill_diagonal_(float("inf")).argmin(1)
    plain, turned = labels[own] == labels, labels[other] == labels
    for label in labels.unique():
        members = labels == label
        chance = members.float().mean()
        before, after = plain[members].float().mean(), turned[members].float().mean()
        if before > 2 * chance and after < KEPT * before:
            return False
    return True
