"""Simple models as torch modules. Imports torch alone: the source of a class is copied into a stand-alone `model.py`.

Every module maps the network's raw input `[rows, *shape]` to one score per output, exports to ONNX with a dynamic
batch, and is rebuilt by `Class(**kwargs)` and its state dict. What scikit-learn has fitted are parameters without
gradient, so the count of parameters is the count of stored numbers; index tables that follow from the arguments are
not stored.
"""

import torch
from torch import Tensor, nn


def stored(*shape: int, dtype: torch.dtype = torch.float32) -> nn.Parameter:
    """Room for numbers that the state dict fills."""
    return nn.Parameter(torch.zeros(shape, dtype=dtype), requires_grad=False)


class Features(nn.Module):
    """Raw input to `size` plain numbers: standardised, a missing one at its mean, with flags and one-hot codes behind.

    channels: numeric columns of a table, or channels of an image or sequence (standardised per channel).
    positions: numbers per channel (1 for a table). flags: columns that get a 0/1 "was missing" feature.
    cardinalities: number of codes of each categorical column; they follow the numeric ones.
    """

    owner: Tensor
    code: Tensor

    def __init__(self, channels: int, positions: int, flags: int, cardinalities: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = channels
        self.positions = positions
        self.columns = channels + len(cardinalities)
        self.size = channels * positions + flags + sum(cardinalities)
        self.mean = stored(channels, 1)
        self.scale = stored(channels, 1)
        self.flagged = stored(flags, dtype=torch.int64)
        owners = [column for column, count in enumerate(cardinalities) for _ in range(count)]
        codes = [code for count in cardinalities for code in range(count)]
        self.register_buffer("owner", torch.tensor(owners, dtype=torch.int64), persistent=False)
        self.register_buffer("code", torch.tensor(codes, dtype=torch.float32), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        columns = inputs.reshape(inputs.shape[0], self.columns, self.positions)
        numbers = columns[:, : self.channels]
        missing = torch.isnan(numbers)
        scaled = (numbers - self.mean) * self.scale
        parts = [torch.where(missing, torch.zeros_like(scaled), scaled).flatten(1)]
        if len(self.flagged):
            parts.append(missing[:, self.flagged, 0].to(scaled.dtype))
        if len(self.owner):
            codes = columns[:, self.channels :, 0]
            parts.append((codes[:, self.owner] == self.code).to(scaled.dtype))
        return torch.cat(parts, 1)


class ClassScores(nn.Module):
    """Decision values of the classes seen in training to one score for each of `outputs` classes.

    seen: numbers of the classes that had training rows, ascending; the others get -10,000. Empty: all pass unchanged.
    Two seen classes share one decision value d in favour of the second, which becomes the scores -d/2 and d/2.
    """

    place: Tensor

    def __init__(self, seen: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        place = {number: position for position, number in enumerate(seen)}
        places = [place.get(number, len(seen)) for number in range(outputs)]
        self.everything = len(seen) in (0, outputs)
        self.register_buffer("place", torch.tensor(places, dtype=torch.int64), persistent=False)
        self.binary = len(seen) == 2

    def forward(self, values: Tensor) -> Tensor:
        if self.binary:
            values = torch.cat([-values, values], 1) / 2
        if self.everything:
            return values
        unseen = torch.full_like(values[:, :1], -10_000.0)
        return torch.cat([values, unseen], 1)[:, self.place]


class ConstantModel(nn.Module):
    """The same scores for every row."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.value = stored(outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.value.unsqueeze(0).expand(inputs.shape[0], -1)


class LinearModel(nn.Module):
    """Scores linear in the features: logistic regression or ridge.

    features: the arguments of `Features`. values: decision values, 1 for two classes. seen: as in `ClassScores`.
    """

    def __init__(
        self, features: tuple[int, int, int, tuple[int, ...]], values: int, outputs: int, seen: tuple[int, ...] = ()
    ) -> None:
        super().__init__()
        self.features = Features(*features)
        self.weight = stored(values, self.features.size)
        self.bias = stored(values)
        self.scores = ClassScores(seen, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.scores(self.features(inputs) @ self.weight.T + self.bias)


class RadialKernel(nn.Module):
    """Similarity exp(-gamma |x - v|²) of each row's features x to each stored vector v: `[rows, vectors]`."""

    def __init__(self, features: tuple[int, int, int, tuple[int, ...]], vectors: int) -> None:
        super().__init__()
        self.features = Features(*features)
        self.vectors = stored(vectors, self.features.size)
        self.gamma = stored(1)

    def forward(self, inputs: Tensor) -> Tensor:
        rows = self.features(inputs)
        squares = (rows * rows).sum(1, keepdim=True) + (self.vectors * self.vectors).sum(1)
        distance = squares - 2 * (rows @ self.vectors.T)
        return torch.exp(-self.gamma * distance.clamp(min=0))


class KernelMachine(nn.Module):
    """Support vector machine whose scores are weighted sums of kernels: two classes, labels, or regression.

    features, values, outputs, seen: as in `LinearModel`. vectors: number of support vectors, shared by all values.
    """

    def __init__(
        self,
        features: tuple[int, int, int, tuple[int, ...]],
        vectors: int,
        values: int,
        outputs: int,
        seen: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.kernel = RadialKernel(features, vectors)
        self.weight = stored(values, vectors)
        self.bias = stored(values)
        self.scores = ClassScores(seen, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.scores(self.kernel(inputs) @ self.weight.T + self.bias)


class KernelVotes(nn.Module):
    """Support vector machine of three or more classes: one vote for each pair, ties broken by confidence.

    counts: support vectors of each seen class, which lie one class after the other. seen: as in `ClassScores`.
    Row r of column s of `weight` is the coefficient of vector s against the r-th of the *other* classes, as in libsvm.
    """

    first: Tensor
    second: Tensor
    is_first: Tensor
    is_second: Tensor

    def __init__(
        self,
        features: tuple[int, int, int, tuple[int, ...]],
        counts: tuple[int, ...],
        outputs: int,
        seen: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.counts = list(counts)
        pairs = torch.triu_indices(len(counts), len(counts), offset=1)
        self.kernel = RadialKernel(features, sum(counts))
        self.weight = stored(len(counts) - 1, sum(counts))
        self.bias = stored(pairs.shape[1])
        self.scores = ClassScores(seen, outputs)
        member = nn.functional.one_hot(pairs, len(counts)).to(torch.float32)
        self.register_buffer("first", pairs[0], persistent=False)
        self.register_buffer("second", pairs[1], persistent=False)
        self.register_buffer("is_first", member[0], persistent=False)
        self.register_buffer("is_second", member[1], persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        kernels = self.kernel(inputs).split(self.counts, 1)
        weights = self.weight.split(self.counts, 1)
        share = torch.stack([kernel @ weight.T for kernel, weight in zip(kernels, weights, strict=True)], 1)
        # Class i meets class j > i in its row j - 1; class j meets i in its row i.
        margin = share[:, self.first, self.second - 1] + share[:, self.second, self.first] + self.bias
        wins = (margin >= 0).to(margin.dtype)
        votes = wins @ self.is_first + (1 - wins) @ self.is_second
        confidence = margin @ self.is_first - margin @ self.is_second
        # Below a third of a vote, so that confidence only breaks ties (scikit-learn's decision_function_shape="ovr").
        return self.scores(votes + confidence / (3 * (confidence.abs() + 1)))


class TreeEnsemble(nn.Module):
    """Sum of decision trees on the raw input; missing numbers go the way learned for them.

    width: numbers in one row. nodes: of all trees. depth: steps from a root to the deepest leaf.
    trees: number of trees of each decision value, one value's trees after the other's. seen: as in `ClassScores`.
    A node stores the column it asks for, a number (threshold of a split, value of a leaf), its left child (0 for a
    leaf; the right child is the next node) and whether missing goes left.
    """

    def __init__(
        self, width: int, nodes: int, depth: int, trees: tuple[int, ...], outputs: int, seen: tuple[int, ...] = ()
    ) -> None:
        super().__init__()
        self.width = width
        self.depth = depth
        self.trees = list(trees)
        self.root = stored(sum(trees), dtype=torch.int64)
        self.column = stored(nodes, dtype=torch.int64)
        self.number = stored(nodes)
        self.child = stored(nodes, dtype=torch.int64)
        self.missing_left = stored(nodes, dtype=torch.bool)
        self.bias = stored(len(trees))
        self.scores = ClassScores(seen, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        rows = inputs.reshape(inputs.shape[0], self.width)
        node = self.root.unsqueeze(0).expand(inputs.shape[0], -1)
        for _ in range(self.depth):
            asked = rows.gather(1, self.column[node])
            left = (asked <= self.number[node]) | (torch.isnan(asked) & self.missing_left[node])
            child = self.child[node]
            node = torch.where(child > 0, child + (~left).to(child.dtype), node)
        parts = self.number[node].split(self.trees, 1)
        return self.scores(torch.stack([part.sum(1) for part in parts], 1) + self.bias)
