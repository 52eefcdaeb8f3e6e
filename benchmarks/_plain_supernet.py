"""The NAS-Bench-201 supernet as its authors' code computes it: what `supernet_step.py` compares with.

Written after `models/cell_searchs` of AutoDL-Projects (Dong and Yang 2020, "NAS-Bench-201", ICLR; arXiv:2001.00326):
option by option in torch's own layout, each result weighed by a product, batch norms in mixed operations without scale
and without running statistics. A step of the weights or of the architecture is `loss.backward()`, which computes the
gradients of both, as in the authors' loops.
"""

from collections.abc import Sequence

from torch import Tensor, nn

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def relu_conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, affine: bool = False) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs, affine=affine, track_running_stats=affine),
    )


class Nothing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mul(0.0)


class SearchCell(nn.Module):
    """Six edges of five operations."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            nn.ModuleList(
                [
                    Nothing(),
                    nn.Identity(),
                    relu_conv_bn(channels, channels, 1),
                    relu_conv_bn(channels, channels, 3),
                    nn.AvgPool2d(3, 1, 1, count_include_pad=False),
                ]
            )
            for _ in EDGES
        )

    def forward(self, x: Tensor, weights: Sequence[Tensor] | None, active: Sequence[Sequence[int]] | None) -> Tensor:
        """All options weighed (`forward`), the drawn ones (`forward_gdas`) or one path (`forward_dynamic`)."""
        values = [x]
        for target in (1, 2, 3):
            arriving = []
            for place, (source, at) in enumerate(EDGES):
                if at == target:
                    arriving.append(self._edge(place, values[source], weights, active))
            values.append(sum(arriving[1:], arriving[0]))
        return values[3]

    def _edge(
        self, place: int, x: Tensor, weights: Sequence[Tensor] | None, active: Sequence[Sequence[int]] | None
    ) -> Tensor:
        options = self.edges[place]
        if weights is None:
            assert active is not None
            return options[active[place][0]](x)
        if active is None:
            return sum(option(x) * w for option, w in zip(options, weights[place], strict=True))
        drawn = active[place][0]
        # Weights of options that were not drawn are added as they are, so that they have a gradient too.
        pairs = enumerate(zip(options, weights[place], strict=True))
        return sum(w * option(x) if k == drawn else w for k, (option, w) in pairs)


class Reduction(nn.Module):
    """The residual block between stages."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            relu_conv_bn(inputs, outputs, 3, 2, affine=True), relu_conv_bn(outputs, outputs, 3, affine=True)
        )
        self.skip = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.body(x)


class PlainSupernet(nn.Module):
    """Stem, three stages of `cells` cells, reductions between, head; `width` channels in the first stage."""

    def __init__(self, width: int = 16, cells: int = 5, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.body = nn.ModuleList()
        for stage in range(3):
            channels = width * 2**stage
            if stage:
                self.body.append(Reduction(channels // 2, channels))
            self.body += [SearchCell(channels) for _ in range(cells)]
        self.last = nn.Sequential(nn.BatchNorm2d(4 * width), nn.ReLU())
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor, weights: Sequence[Tensor] | None, active: Sequence[Sequence[int]] | None) -> Tensor:
        x = self.stem(x)
        for part in self.body:
            x = part(x, weights, active) if isinstance(part, SearchCell) else part(x)
        logits: Tensor = self.head(self.last(x).mean((2, 3)))
        return logits
