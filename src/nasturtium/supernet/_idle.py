"""Options that are not computed, whose weights are added to the sum as numbers: nothing, but for their gradient.

What an edge leaves out counts as nothing, so a hard weight of 0 has no gradient of its own. The code of Dong and Yang
for NAS-Bench-201 (AutoDL-Projects, `forward_gdas`) adds that weight itself to every entry of the value that the edge
leads to, so that its gradient is the sum of the gradients of the entries.
"""

from collections.abc import Sequence

from torch import Tensor

from nasturtium.blocks.open_graph import OpenGraph


def idle_sums(
    graph: OpenGraph, weights: Sequence[Tensor], active: Sequence[Sequence[int] | Tensor]
) -> dict[int, Tensor]:
    """For each value, the sum of the weights of the options that lead there and are not computed, `[]`.

    active: as `MixedGraph.forward` takes it, places or gates.
    """
    found: dict[int, Tensor] = {}
    for edge in graph.edges:
        if edge.mixture is None:
            continue
        of_edge, opened = weights[edge.mixture], active[edge.mixture]
        computed = of_edge * opened if isinstance(opened, Tensor) else of_edge[list(opened)]
        found[edge.target] = found.get(edge.target, 0) + of_edge.sum() - computed.sum()
    return found
