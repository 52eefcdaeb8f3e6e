"""An ensemble of graph isomorphism networks on labelled directed graphs.

Xu, Hu, Leskovec and Jegelka, "How Powerful are Graph Neural Networks?", ICLR 2019 (arXiv:1810.00826), equations 4.1
and 4.2, with three changes of ours: neighbours before and behind a node are summed apart, because edges have a
direction; one linear map each and one ReLU in place of the MLP, because there are tens of graphs to learn from, not
thousands; the readout is the mean of the nodes beside their sum. The ensemble is as in `mlp_ensemble`, but on squared
error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nasturtium.errors import RunError
from nasturtium.predictors._surrogate import Prediction, checked_losses, spread_of
from nasturtium.space.graphs import LabelledGraph

Graphs = Sequence[LabelledGraph]
Weights = dict[str, Float[Tensor, "members inputs outputs"]]


@dataclass(frozen=True)
class GraphNetwork:
    """members: of the ensemble, trained side by side. rounds: of message passing: how far a node sees. width: units.

    steps: of Adam on all graphs at once, rate falling to 0 by a half cosine. Labels that were not in the training
    graphs get embeddings that stay as they were drawn: members disagree about them, as they should.
    """

    members: int = 5
    rounds: int = 3
    width: int = 32
    steps: int = 150
    rate: float = 0.01
    decay: float = 1e-3
    name: str = "graph-network"

    def fit(self, features: Graphs, losses: Float[np.ndarray, " rows"], seed: int) -> "FittedGraphNetwork":
        values = checked_losses(losses, len(features))
        centre, spread = float(values.mean()), spread_of(values)
        wanted = torch.tensor((values - centre) / spread, dtype=torch.float32)
        labels = {label: at for at, label in enumerate(sorted({one for graph in features for one in graph.labels}))}
        batch = Batch.of(features, labels)
        weights = self._started(len(labels) + 1, torch.Generator().manual_seed(seed % 2**63))
        sizes = max(1.0, float(np.mean([len(graph.labels) for graph in features])))
        optimiser = torch.optim.AdamW(list(weights.values()), lr=self.rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps)
        for _ in range(self.steps):
            optimiser.zero_grad()
            error = (read(weights, batch, self.rounds, sizes) - wanted).square()
            error.mean(1).sum().backward()
            optimiser.step()
            schedule.step()
        done = {name: weight.detach() for name, weight in weights.items()}
        return FittedGraphNetwork(done, labels, self.rounds, sizes, centre, spread)

    def _started(self, labels: int, generator: torch.Generator) -> Weights:
        """The last label stands for those that are not known."""

        def drawn(inputs: int, outputs: int, scale: float) -> Tensor:
            return (torch.randn(self.members, inputs, outputs, generator=generator) * scale).requires_grad_()

        weights = {"embedding": drawn(labels, self.width, 1.0)}
        for step in range(self.rounds):
            for side in ("own", "before", "behind"):
                weights[f"{side}{step}"] = drawn(self.width, self.width, (2 / 3 / self.width) ** 0.5)
            weights[f"bias{step}"] = drawn(1, self.width, 0.1)
        read_out = 2 * (self.rounds + 1) * self.width  # sums and means of every depth
        weights["readout"] = drawn(read_out, 1, read_out**-0.5)
        return weights


@dataclass(frozen=True)
class FittedGraphNetwork:
    weights: Weights
    labels: dict[str, int]
    rounds: int
    sizes: float
    centre: float
    spread: float

    def predict(self, features: Graphs) -> Prediction:
        if not features:
            return np.zeros(0), np.zeros(0)
        with torch.no_grad():
            each = read(self.weights, Batch.of(features, self.labels), self.rounds, self.sizes)
        values = each.numpy().astype(float) * self.spread + self.centre
        return values.mean(0), values.std(0)


@dataclass(frozen=True)
class Batch:
    """Graphs side by side as one. labels: number of each node's. graph: that each node is part of."""

    labels: Int[Tensor, " nodes"]
    graph: Int[Tensor, " nodes"]
    sources: Int[Tensor, " edges"]
    targets: Int[Tensor, " edges"]
    counts: Float[Tensor, " graphs"]

    @staticmethod
    def of(graphs: Graphs, known: dict[str, int]) -> "Batch":
        for at, graph in enumerate(graphs):
            if not graph.labels:
                raise RunError(f"Graph {at} has no nodes: a graph network needs at least one.")
        sizes = [len(graph.labels) for graph in graphs]
        starts = np.cumsum([0, *sizes[:-1]])
        numbers = [known.get(label, len(known)) for graph in graphs for label in graph.labels]
        edges = [
            (int(start) + one, int(start) + two)
            for start, graph in zip(starts, graphs, strict=True)
            for one, two in graph.edges
        ]
        pairs = torch.tensor(edges, dtype=torch.long).reshape(-1, 2)
        graph_of = torch.repeat_interleave(torch.arange(len(graphs)), torch.tensor(sizes))
        return Batch(
            torch.tensor(numbers), graph_of, pairs[:, 0], pairs[:, 1], torch.tensor(sizes, dtype=torch.float32)
        )


def read(weights: Weights, batch: Batch, rounds: int, sizes: float) -> Float[Tensor, "members graphs"]:
    """What each member says of each graph. sizes: mean number of nodes in training, so that sums stay near means."""
    state = weights["embedding"][:, batch.labels]
    pooled = [_pooled(state, batch)]
    for step in range(rounds):
        before = torch.zeros_like(state).index_add(1, batch.targets, state[:, batch.sources])
        behind = torch.zeros_like(state).index_add(1, batch.sources, state[:, batch.targets])
        # Equation 4.1 with (1 + epsilon) taken into the map of the node's own state.
        mixed = state @ weights[f"own{step}"] + before @ weights[f"before{step}"] + behind @ weights[f"behind{step}"]
        state = torch.relu(mixed + weights[f"bias{step}"])
        pooled.append(_pooled(state, batch))
    sums = torch.cat(pooled, -1)  # equation 4.2: every depth is read
    means = sums / batch.counts[:, None]
    return (torch.cat([sums / sizes, means], -1) @ weights["readout"]).squeeze(-1)


def _pooled(state: Float[Tensor, "members nodes units"], batch: Batch) -> Float[Tensor, "members graphs units"]:
    empty = state.new_zeros(state.shape[0], len(batch.counts), state.shape[2])
    return empty.index_add(1, batch.graph, state)
