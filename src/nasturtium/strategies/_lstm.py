"""An LSTM that makes the decisions of an architecture one after the other, in NumPy.

Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997; as a controller, Zoph and Le, "Neural
Architecture Search with Reinforcement Learning", ICLR 2017 (arXiv:1611.01578), section 3.1. Each step reads the
embedding of the action taken before; a softmax over the actions of the decision at hand reads its top state. A step of
a hundred units takes NumPy some 50 us, less than a call into a framework.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from jaxtyping import Float, Int

from nasturtium.strategies._actions import Actions, Walk
from nasturtium.strategies.policy import Sample

Flat = Float[np.ndarray, " parameters"]
States = Float[np.ndarray, "layers rows units"]


@dataclass(frozen=True, eq=False)
class Cell:
    """What one layer did at one step, for the way back. joined: input and state; gates: input, forget, output."""

    joined: Float[np.ndarray, "rows two_units"]
    gates: Float[np.ndarray, "rows three_units"]
    new: Float[np.ndarray, "rows units"]
    before: Float[np.ndarray, "rows units"]
    squashed: Float[np.ndarray, "rows units"]


@dataclass(frozen=True, eq=False)
class Head:
    """The softmax of one decision at one step. rows: of the batch, that make it. logs: log-probabilities."""

    decision: int
    rows: Int[np.ndarray, " some"]
    chosen: Int[np.ndarray, " some"]
    top: Float[np.ndarray, "some units"]
    raw: Float[np.ndarray, "some actions"]
    logs: Float[np.ndarray, "some actions"]


@dataclass(frozen=True, eq=False)
class Pass:
    """A batch read forwards. log_prob, entropy: summed over the steps of each row. read: embedding rows, by step."""

    log_prob: Float[np.ndarray, " rows"]
    entropy: Float[np.ndarray, " rows"]
    read: list[Int[np.ndarray, " rows"]]
    cells: list[list[Cell]]
    heads: list[list[Head]]


@dataclass(frozen=True)
class Lstm:
    """The shape of the network; its parameters are one flat vector.

    units, layers: of the LSTM; embeddings have `units` numbers too. tanh, temperature: logits are divided by the
    temperature and then squashed to tanh * tanh(logits); None leaves that out (Pham et al. 2018, section 3.1).
    op_tanh_reduce: divides tanh where a decision is none of `Actions.reads`. spread: parameters begin uniform between
    -spread and spread.
    """

    actions: Actions
    units: int
    layers: int = 1
    tanh: float | None = None
    temperature: float | None = None
    op_tanh_reduce: float = 1.0
    spread: float = 0.1

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """embedding: its row 0 begins; head: a row for each action of each decision."""
        total, units, layers = self.actions.total, self.units, self.layers
        return {
            "embedding": (1 + total, units),
            "weight": (layers, 4 * units, 2 * units),
            "bias": (layers, 4 * units),
            "head": (total, units),
            "head_bias": (total,),
        }

    def start(self, rng: np.random.Generator) -> Flat:
        return rng.uniform(-self.spread, self.spread, sum(map(prod, self.shapes.values())))

    def views(self, flat: Flat) -> dict[str, Float[np.ndarray, "..."]]:
        """The parameters by name, as views."""
        found, at = {}, 0
        for name, shape in self.shapes.items():
            found[name] = flat[at : at + prod(shape)].reshape(shape)
            at += prod(shape)
        return found

    def sample(self, flat: Flat, rng: np.random.Generator, count: int) -> list[Sample]:
        """Independent draws; decisions are made along the tree, so rows may differ in them and end early."""
        known, weights = self.actions, self.views(flat)
        codes = [[-1] * len(known.counts) for _ in range(count)]
        totals, read = np.zeros(count), np.zeros(count, dtype=int)
        states = self._zeros(count), self._zeros(count)
        while (decisions := np.array([_or_done(known.undecided(row)) for row in codes])).max() >= 0:
            top, states, _ = self._step(weights, weights["embedding"][read], states)
            for head in self._heads(weights, top, decisions):
                ladder = np.cumsum(np.exp(head.logs), axis=1)[:, :-1]
                taken = (rng.random((len(head.rows), 1)) >= ladder).sum(1)
                totals[head.rows] += head.logs[np.arange(len(taken)), taken]
                read[head.rows] = 1 + known.starts[head.decision] + taken
                for row, action in zip(head.rows, taken.tolist(), strict=True):
                    codes[row][head.decision] = known.code(head.decision, action, rng)
        return [Sample(tuple(row), float(total)) for row, total in zip(codes, totals, strict=True)]

    def forward(self, flat: Flat, walks: Sequence[Walk]) -> Pass:
        """Log-probability and entropy of each walk."""
        weights, count = self.views(flat), len(walks)
        steps = max(map(len, walks), default=0)
        log_prob, entropy, read = np.zeros(count), np.zeros(count), np.zeros(count, dtype=int)
        states = self._zeros(count), self._zeros(count)
        made = Pass(log_prob, entropy, [], [], [])
        for step in range(steps):
            pairs = np.array([walk[step] if step < len(walk) else (-1, -1) for walk in walks])
            made.read.append(read)
            top, states, cells = self._step(weights, weights["embedding"][read], states)
            heads = self._heads(weights, top, pairs[:, 0], pairs[:, 1])
            read = read.copy()
            for head in heads:
                log_prob[head.rows] += head.logs[np.arange(len(head.rows)), head.chosen]
                entropy[head.rows] -= (np.exp(head.logs) * head.logs).sum(1)
                read[head.rows] = 1 + self.actions.starts[head.decision] + head.chosen
            made.cells.append(cells)
            made.heads.append(heads)
        return made

    def gradient(
        self, flat: Flat, made: Pass, log_prob: Float[np.ndarray, " rows"], entropy: Float[np.ndarray, " rows"]
    ) -> Flat:
        """Gradient of sum(log_prob * made.log_prob + entropy * made.entropy): backpropagation through time."""
        weights, slope = self.views(flat), np.zeros_like(flat)
        slopes, count = self.views(slope), len(log_prob)
        down, carry = self._zeros(count), self._zeros(count)
        for step in reversed(range(len(made.cells))):
            for head in made.heads[step]:
                down[-1, head.rows] += self._head_back(weights, slopes, head, log_prob, entropy)
            for layer in reversed(range(self.layers)):
                joined, carry[layer] = _cell_back(
                    made.cells[step][layer],
                    weights["weight"][layer],
                    down[layer],
                    carry[layer],
                    slopes["weight"][layer],
                    slopes["bias"][layer],
                )
                below, down[layer] = joined[:, : self.units], joined[:, self.units :]
                if layer:
                    down[layer - 1] += below
                else:
                    np.add.at(slopes["embedding"], made.read[step], below)
        return slope

    def _zeros(self, count: int) -> States:
        return np.zeros((self.layers, count, self.units))

    def _step(
        self, weights: dict[str, np.ndarray], x: Float[np.ndarray, "rows units"], states: tuple[States, States]
    ) -> tuple[Float[np.ndarray, "rows units"], tuple[States, States], list[Cell]]:
        """One step of all layers: the top state, the states after it, and what each layer did."""
        hidden, memory = np.empty_like(states[0]), np.empty_like(states[1])
        cells = []
        for layer in range(self.layers):
            joined = np.concatenate([x, states[0][layer]], axis=1)
            sums = joined @ weights["weight"][layer].T + weights["bias"][layer]
            gates = 1 / (1 + np.exp(-sums[:, : 3 * self.units]))
            new = np.tanh(sums[:, 3 * self.units :])
            enter, forget, leave = np.split(gates, 3, axis=1)
            memory[layer] = forget * states[1][layer] + enter * new
            squashed = np.tanh(memory[layer])
            hidden[layer] = x = leave * squashed
            cells.append(Cell(joined, gates, new, states[1][layer], squashed))
        return x, (hidden, memory), cells

    def _heads(
        self,
        weights: dict[str, np.ndarray],
        top: Float[np.ndarray, "rows units"],
        decisions: Int[np.ndarray, " rows"],
        chosen: Int[np.ndarray, " rows"] | None = None,
    ) -> list[Head]:
        """The softmaxes of a step: one for each decision that some row makes (in most spaces one, in order)."""
        heads = []
        for decision in np.unique(decisions[decisions >= 0]).tolist():
            rows = np.flatnonzero(decisions == decision)
            mine = self._rows(decision)
            raw = top[rows] @ weights["head"][mine].T + weights["head_bias"][mine]
            logits = raw if self.temperature is None else raw / self.temperature
            tanh = self._tanh(decision)
            logits = logits if tanh is None else tanh * np.tanh(logits)
            shifted = logits - logits.max(1, keepdims=True)
            logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
            taken = np.zeros_like(rows) if chosen is None else chosen[rows]
            heads.append(Head(decision, rows, taken, top[rows], raw, logs))
        return heads

    def _head_back(
        self,
        weights: dict[str, np.ndarray],
        slopes: dict[str, np.ndarray],
        head: Head,
        log_prob: Float[np.ndarray, " rows"],
        entropy: Float[np.ndarray, " rows"],
    ) -> Float[np.ndarray, "some units"]:
        """Adds to the slopes of the head; the slope by the top state is returned."""
        chances = np.exp(head.logs)
        own = -(chances * head.logs).sum(1, keepdims=True)
        hit = np.zeros_like(chances)
        hit[np.arange(len(head.rows)), head.chosen] = 1.0
        # d log p(chosen) = onehot - p; d entropy = -p (log p + entropy).
        slope = log_prob[head.rows, None] * (hit - chances)
        slope -= entropy[head.rows, None] * chances * (head.logs + own)
        scale = 1.0 if self.temperature is None else self.temperature
        if (tanh := self._tanh(head.decision)) is not None:
            slope *= tanh * (1 - np.tanh(head.raw / scale) ** 2)
        slope /= scale
        mine = self._rows(head.decision)
        slopes["head"][mine] += slope.T @ head.top
        slopes["head_bias"][mine] += slope.sum(0)
        return np.asarray(slope @ weights["head"][mine])

    def _tanh(self, decision: int) -> float | None:
        if self.tanh is None or decision in self.actions.reads:
            return self.tanh
        return self.tanh / self.op_tanh_reduce

    def _rows(self, decision: int) -> slice:
        first = self.actions.starts[decision]
        return slice(first, first + self.actions.counts[decision])


def _or_done(decision: int | None) -> int:
    return -1 if decision is None else decision


def _cell_back(
    cell: Cell,
    weight: Float[np.ndarray, "four_units two_units"],
    hidden: Float[np.ndarray, "rows units"],
    carry: Float[np.ndarray, "rows units"],
    weight_slope: Float[np.ndarray, "four_units two_units"],
    bias_slope: Float[np.ndarray, " four_units"],
) -> tuple[Float[np.ndarray, "rows two_units"], Float[np.ndarray, "rows units"]]:
    """From the slopes by a cell's state and memory to those by its input (joined) and by the memory before it."""
    enter, forget, leave = np.split(cell.gates, 3, axis=1)
    memory = carry + hidden * leave * (1 - cell.squashed**2)
    gates = np.concatenate([memory * cell.new, memory * cell.before, hidden * cell.squashed], axis=1)
    sums = np.concatenate([gates * cell.gates * (1 - cell.gates), memory * enter * (1 - cell.new**2)], axis=1)
    weight_slope += sums.T @ cell.joined
    bias_slope += sums.sum(0)
    return sums @ weight, memory * forget
