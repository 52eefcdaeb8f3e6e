"""A fitted simple model: numbers, and the torch module that they fill."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from nasturtium.classical import modules
from nasturtium.classical._spec import Classical


@dataclass(frozen=True)
class Fitted:
    """What `fit` returns; picklable.

    class_name: a class of `classical.modules`; `cls(**kwargs)` with `state` loaded is the model.
    kwargs: plain ints and tuples. state: the stored numbers. macs: multiply-accumulates of one row (trees: none).
    rows: training rows used. chosen: hyper-parameters that an inner validation chose.
    note: what a reader must know of the fit (a subsample), or empty.
    """

    spec: Classical
    class_name: str
    kwargs: Mapping[str, Any]
    state: Mapping[str, Tensor]
    macs: int
    rows: int
    chosen: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def params(self) -> int:
        """How many numbers are stored: coefficients, means and scales, support vectors, nodes."""
        return sum(tensor.numel() for tensor in self.state.values())

    def module(self) -> nn.Module:
        """The model in torch, in evaluation mode: raw float32 `[rows, *tensor_shape]` to scores `[rows, outputs]`.

        Classification: the largest score is scikit-learn's prediction. Multi-label: positive means present.
        Regression: the target's own unit.
        """
        built: nn.Module = getattr(modules, self.class_name)(**self.kwargs)
        built.load_state_dict(dict(self.state))
        return built.eval()

    def source(self) -> str:
        """Python source of the parts that the model needs and no others; expects `torch`, `Tensor` and `nn`."""
        used = {type(part).__name__ for part in self.module().modules()} | {modules.stored.__name__}
        own = [part for name, part in vars(modules).items() if name in used and part.__module__ == modules.__name__]
        return "\n\n".join(inspect.getsource(part) for part in own)
