"""Ready spaces and known networks."""

from nasturtium.zoo.conv_macro import conv_macro
from nasturtium.zoo.known import KnownNetwork, known_networks, within
from nasturtium.zoo.nasbench201 import nasbench201
from nasturtium.zoo.registry import SPACES, default_space, ready_space
from nasturtium.zoo.tabular import mlp, tabular

__all__ = [
    "SPACES",
    "KnownNetwork",
    "conv_macro",
    "default_space",
    "known_networks",
    "mlp",
    "nasbench201",
    "ready_space",
    "tabular",
    "within",
]
