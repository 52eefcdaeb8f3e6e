"""Peak memory of a module that has no expression to count on: its tensors are watched while it runs."""

import weakref
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Watch(TorchDispatchMode):
    """Adds up the storages that operations make, and takes off those that are freed. kept: storages not counted."""

    def __init__(self, kept: set[int], live: int) -> None:
        super().__init__()
        self._known, self._live, self.peak = set(kept), live, live

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        address, octets = storage.data_ptr(), storage.nbytes()
        if address not in self._known:
            self._known.add(address)
            self._live += octets
            self.peak = max(self.peak, self._live)
            weakref.finalize(storage, self._free, address, octets)

    def _free(self, address: int, octets: int) -> None:
        self._known.discard(address)
        self._live -= octets


def peak_memory(module: nn.Module, row: Float[Tensor, "1 ..."]) -> int:
    """Largest sum of bytes of live tensors while the module handles `row`, the row included and its weights not."""
    weights = {tensor.untyped_storage().data_ptr() for tensor in module.state_dict().values()}
    with torch.inference_mode(), _Watch({row.untyped_storage().data_ptr(), *weights}, row.nbytes) as watch:
        module(row)
    return watch.peak
