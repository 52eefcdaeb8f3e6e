"""A trained model of any kind, ready to be handed over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from nasturtium.blocks import Call, construct
from nasturtium.task import Task


@dataclass(frozen=True)
class Deployable:
    """How to construct a model, and its numbers. Takes the raw input, float32 `[rows, *task.input.tensor_shape]`.

    name: what people call it ("resnet", "svc", "found network"). call: constructs the module, pre-processing included.
    state: its state dict. Outputs are `[rows, task.outputs]`: logits, or targets in their own unit.
    """

    name: str
    task: Task
    call: Call
    state: Mapping[str, Tensor]

    def module(self) -> nn.Module:
        """The model with its weights, in evaluation mode, on the CPU."""
        built = construct(self.call)
        built.load_state_dict(dict(self.state))
        return built.eval()

    @property
    def params(self) -> int:
        """Stored parameters: what limits count. Buffers (means, deviations, running statistics) are no parameters."""
        return sum(parameter.numel() for parameter in construct(self.call).parameters())


def targets(call: Call) -> Iterator[object]:
    """Every class and function that the call needs, in order of first use, each once."""
    seen: dict[int, object] = {}

    def visit(part: Call) -> None:
        seen.setdefault(id(part.target), part.target)
        for value in (*part.args, *(value for _, value in part.kwargs)):
            if isinstance(value, Call):
                visit(value)

    visit(call)
    yield from seen.values()
