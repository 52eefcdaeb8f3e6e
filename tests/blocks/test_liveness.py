"""Peak memory against an independent simulator.

The simulator writes the expression down as straight-line code over numbered buffers, finds the last reader of each,
and then runs through the code with a set of live buffers. It shares no rule with the recursion under test but those
that define the cost: in-place primitives and sums overwrite an operand that nobody reads afterwards.
"""

from math import prod

import pytest

from nasturtium.blocks.counted import counted
from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Primitive, Seq, Sum
from nasturtium.blocks.primitives import Activation, Conv, Identity, Norm, Pool
from nasturtium.blocks.token_primitives import Attention
from nasturtium.hardware import CostModel
from nasturtium.space import Space
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro, darts, ft_transformer, hybrid, known_networks, nasbench201, nasnet, tabular, vit

Line = tuple[int, tuple[int, ...], bool]  # result, operands, may it overwrite an operand?


class Tape:
    """Straight-line code. sizes: of each buffer."""

    def __init__(self, x: Signal) -> None:
        self.sizes = [x.size]
        self.extra: dict[int, int] = {}  # numbers that are alive only while a line runs
        self.lines: list[Line] = []

    def emit(self, size: int, operands: tuple[int, ...], in_place: bool) -> int:
        self.sizes.append(size)
        self.lines.append((len(self.sizes) - 1, operands, in_place))
        return len(self.sizes) - 1

    def add(self, expr: Expr, x: Signal, value: int) -> int:
        """Code for `expr` on a buffer; the buffer of the result."""
        match expr:
            case Seq(parts):
                for _, part in parts:
                    value, x = self.add(part, x, value), part.out(x)
                return value
            case Sum(branches):
                total = self.add(branches[0][1], x, value)
                for _, branch in branches[1:]:
                    term = self.add(branch, x, value)
                    total = self.emit(branch.out(x).size, (total, term), True)
                return total
            case Concat(branches):
                terms = tuple(self.add(branch, x, value) for _, branch in branches)
                return self.emit(expr.out(x).size, terms, False)
            case Gate(body):
                gate = self.add(body, x, value)
                return self.emit(x.size, (value, gate), True)
            case Graph():
                return self._graph(expr, x, value)
            case Primitive():
                if expr.is_identity(x):
                    return value
                result = self.emit(expr.out(x).size, (value,), expr.in_place)
                self.extra[result] = expr.heads * prod(x.shape[1:]) ** 2 if isinstance(expr, Attention) else 0
                return result
        raise TypeError(expr)

    def _graph(self, expr: Graph, x: Signal, value: int) -> int:
        signals, values = expr.values(x), {0: value}

        def read(number: int) -> int:
            for join, parts in expr.joins:
                if join == number and join not in values:
                    operands = tuple(read(part) for part in parts)
                    values[join] = self.emit(signals[join].size, operands, False)
            return values[number]

        for source, target, op in expr.edges:
            term = self.add(op, signals[source], read(source))
            known = values.get(target)
            values[target] = term if known is None else self.emit(signals[target].size, (known, term), True)
        outputs = tuple(read(k) for k in expr.outputs)
        return outputs[0] if len(outputs) == 1 else self.emit(expr.out(x).size, outputs, False)

    def peak(self) -> int:
        """Most numbers alive at once."""
        last = {value: at for at, (_, operands, _) in enumerate(self.lines) for value in operands}
        alive, peak = {0}, self.sizes[0]
        for at, (result, operands, in_place) in enumerate(self.lines):
            dying = {value for value in operands if last[value] == at}
            reused = in_place and any(self.sizes[value] == self.sizes[result] for value in dying)
            held = sum(self.sizes[value] for value in alive)
            peak = max(peak, held + self.extra.get(result, 0) + (0 if reused else self.sizes[result]))
            alive = (alive - dying) | {result}
        return peak


def simulated(expr: Expr, x: Signal) -> int:
    tape = Tape(x)
    tape.add(expr, x, 0)
    return tape.peak() * 4


IMAGE = Task("classification", Signal("image", (1, 12, 12)), 10, "accuracy")
SPACES = {
    "conv-macro": lambda: conv_macro(IMAGE),
    "conv-macro sequence": lambda: conv_macro(Task("classification", Signal("sequence", (3, 64)), 4, "accuracy")),
    "nasbench201": lambda: nasbench201(IMAGE, width=4, cells=1),
    "darts": lambda: darts(IMAGE, width=4, cells=4),
    "nasnet": lambda: nasnet(IMAGE, width=4, cells=4),
    "vit": lambda: vit(IMAGE),
    "hybrid": lambda: hybrid(IMAGE),
    "ft-transformer": lambda: ft_transformer(Task("regression", Signal("table", (5,), (3, 8)), 1, "rmse")),
    "tabular": lambda: tabular(Task("regression", Signal("table", (5,), (3, 8)), 1, "rmse")),
}


@pytest.mark.parametrize("name", SPACES)
def test_peak_memory_equals_the_simulation_on_random_architectures(name: str) -> None:
    space: Space = SPACES[name]()
    x, model = space.task.input, CostModel(space)
    for seed in range(60):
        architecture = space.sample(seed)
        expr = architecture.tree.lower(x)
        expected = simulated(expr, x)
        assert counted(expr, x).memory == expected, architecture
        assert model(architecture)["memory"] == expected


def test_peak_memory_equals_the_simulation_for_known_networks() -> None:
    for known in known_networks(IMAGE):
        expr = known.tree.lower(IMAGE.input)
        assert counted(expr, IMAGE.input).memory == simulated(expr, IMAGE.input), known.name


X = Signal("image", (4, 6, 6))
SIZE = 4 * 6 * 6
CONV, ACT, NORM, POOL = Conv(4), Activation(), Norm(), Pool()


@pytest.mark.parametrize(
    ("expr", "buffers"),
    [
        (Seq(()), 1),
        (ACT, 1),
        (CONV, 2),
        (Seq((("a", CONV), ("b", ACT), ("c", CONV))), 2),
        (Sum((("a", CONV), ("b", Identity()))), 2),
        (Sum((("a", Seq((("a", CONV), ("b", CONV)))), ("b", Identity()))), 3),
        (Sum((("a", ACT), ("b", Identity()))), 2),
        (Sum((("a", CONV), ("b", CONV))), 3),
        (Concat((("a", CONV), ("b", CONV))), 4),
        (Graph(((0, 1, CONV), (0, 2, CONV), (1, 2, ACT)), (2,)), 3),
        (Graph(((0, 1, Identity()), (1, 2, CONV)), (2,)), 2),
        (Graph(((0, 1, CONV), (0, 2, CONV)), (3,), ((3, (1, 2)),)), 4),
        (Graph(((0, 1, CONV), (3, 4, CONV)), (4,), ((3, (1, 0)),)), 4),
    ],
)
def test_small_expressions_need_as_many_buffers_as_one_counts_by_hand(expr: Expr, buffers: int) -> None:
    assert simulated(expr, X) == buffers * SIZE * 4
    assert counted(expr, X).memory == buffers * SIZE * 4
