"""Scores of an untrained network."""

from collections.abc import Sequence

import torch
from torch import nn

from nasturtium.errors import RunError
from nasturtium.proxies._passes import Passes
from nasturtium.proxies.batch import Batch
from nasturtium.proxies.registry import PROXIES, Proxy, members, nearest, unsuited


def measure(network: nn.Module, batch: Batch, names: Sequence[str] | None = None, seed: int = 0) -> dict[str, float]:
    """Scores by name, in the order of `names`, sharing passes.

    network: as it was built; its weights, buffers and mode stay as they are. The scores are of these weights (the
    published figures are of torch's own initialisation, which `build` uses), but zen and the parts of az_nas draw
    their own. batch: rows of the task, on any device. names: of `PROXIES` or `GROUPS`; None takes every proxy that the
    task and the batch allow. seed: of the drawn weights and inputs.

    A score is NaN or infinite where the network gives it no meaning, such as one that does not see its input. Raises
    `RunError` for an unknown name, or a proxy that needs what the task or the batch has not.
    """
    wanted = [PROXIES[name] for name in resolve(names, batch)]
    weight = next(network.parameters(), None)
    here = batch.inputs.device if weight is None else weight.device
    second_order = any(proxy.cost == "second-order" for proxy in wanted)
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        passes = Passes(network, batch.to(here), seed, second_order=second_order)
        return {proxy.name: passes.once(proxy.score) for proxy in wanted}


def resolve(names: Sequence[str] | None, batch: Batch) -> list[str]:
    """Names of `PROXIES` without repeats, groups opened. Hyphens are taken for underscores."""
    if names is None:
        return [name for name, proxy in PROXIES.items() if _obstacle(proxy, batch) is None]
    found: list[str] = []
    for name in names:
        opened = members(name)
        if not opened:
            raise RunError(f"There is no proxy {name!r}. {nearest(name)}")
        found += opened
    for name in found:
        obstacle = _obstacle(PROXIES[name], batch)
        if obstacle is not None:
            raise RunError(obstacle)
    return list(dict.fromkeys(found))


def _obstacle(proxy: Proxy, batch: Batch) -> str | None:
    if proxy.second_batch and batch.second is None:
        return f"{proxy.name} compares the gradients of two batches: give Batch(..., second=Batch(...))."
    return unsuited(proxy, batch.task)
