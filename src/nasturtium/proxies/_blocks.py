"""The main blocks of a network, between its stem and its head."""

from torch import nn

from nasturtium.proxies._layers import ACTIVATIONS, NORMS, weighted


def main_blocks(network: nn.Module) -> list[nn.Module]:
    """The stem and the blocks behind it, in order, without the head.

    They are the parts of the network's outermost sequence, a stage opened into its blocks. Left out are the last part
    (the head), what comes before the first weights, and parts that only normalise or activate.
    """
    *parts, _ = _opened(network) or [network]
    blocks = [part for part in parts if not _is_finish(part)]
    first = next((place for place, part in enumerate(blocks) if weighted(part)), len(blocks))
    return blocks[first:]


def _opened(sequence: nn.Module) -> list[nn.Module]:
    """The children of a sequence, stages replaced by theirs."""
    found: list[nn.Module] = []
    for child in sequence.children():
        found += _opened(child) if _is_stage(child) else [child]
    return found


def _is_stage(module: nn.Module) -> bool:
    """A sequence of blocks, which are named by their number; the parts of a block have names without one."""
    children = list(module.named_children())
    return isinstance(module, nn.Sequential) and all(
        name[-1].isdigit() and any(True for _ in child.children()) for name, child in children
    )


def _is_finish(part: nn.Module) -> bool:
    leaves = [module for module in part.modules() if not any(True for _ in module.children())]
    return any(isinstance(leaf, NORMS) for leaf in leaves) and all(isinstance(x, NORMS + ACTIVATIONS) for x in leaves)
