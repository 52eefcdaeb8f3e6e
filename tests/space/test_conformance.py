"""The shipped conformance suite, on spaces of every kind: small, tied, deep, with reals, without decisions."""

from dataclasses import dataclass

from nasturtium.space import Open, Space, choice, integer, optional, real, register, repeat
from nasturtium.task import Signal, Task
from nasturtium.testing import SpaceConformance

TASK = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy", tuple("0123456789"))


@register
@dataclass(frozen=True)
class ConformLeaf:
    kernel: Open[int] = 3
    gate: Open[object] = None


@register
@dataclass(frozen=True)
class ConformNet:
    """Its identity is its own canonical form, in which the kind of gate does not matter."""

    body: tuple[object, ...]
    width: Open[int]
    outputs: int = 1

    def canonical_form(self, task: Task) -> str:
        return f"{task.outputs} {self.body} {self.width}"


@dataclass(frozen=True)
class Unregistered:
    activation: type
    rate: Open[float]


def macro(task: Task) -> ConformNet:
    block = lambda at: choice(  # noqa: E731
        plain=ConformLeaf(choice(1, 3)), gated=ConformLeaf(choice(3, 5), optional(ConformLeaf(choice(1, 2))))
    )
    stages = tuple(repeat(block, integer(1, 3)) for _ in range(3))
    return ConformNet(stages, choice(8, 16, 24), task.outputs)


def tied(task: Task) -> object:
    kernel = choice(1, 3)
    block = lambda at: ConformLeaf(kernel, choice(a=kernel, b=choice(5, 7)))  # noqa: E731
    return (repeat(block, integer(0, 2)), repeat(block, 2, tied=True), (("width", integer(8, 32, 8)),))


class TestMacro(SpaceConformance):
    def space(self) -> Space:
        return Space(macro, TASK)


class TestTied(SpaceConformance):
    def space(self) -> Space:
        return Space(tied, TASK)


class TestReals(SpaceConformance):
    json_tree = False

    def space(self) -> Space:
        return Space((Unregistered(float, real(0.0, 1.0)), optional(real(1e-4, 1.0, log=True)), integer(0, 500)))


class TestOneChoice(SpaceConformance):
    def space(self) -> Space:
        return Space(choice("relu", "silu", None, True, 0.5), name="one")


class TestNoDecisions(SpaceConformance):
    def space(self) -> Space:
        return Space((ConformLeaf(), "text"), TASK)
