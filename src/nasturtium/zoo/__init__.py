"""Ready spaces and known networks."""

from nasturtium.zoo.conv_macro import conv_macro
from nasturtium.zoo.darts import darts, published_network
from nasturtium.zoo.ft_transformer import ft_transformer
from nasturtium.zoo.genotypes import GENOTYPES, Genotype, genotype
from nasturtium.zoo.hybrid import hybrid
from nasturtium.zoo.known import KnownNetwork, build_known, builders, known_networks, within
from nasturtium.zoo.nasbench201 import nasbench201
from nasturtium.zoo.nasnet import nasnet
from nasturtium.zoo.registry import SPACES, default_space, ready_space
from nasturtium.zoo.tabular import mlp, tabular
from nasturtium.zoo.vit import vit

__all__ = [
    "GENOTYPES",
    "SPACES",
    "Genotype",
    "KnownNetwork",
    "build_known",
    "builders",
    "conv_macro",
    "darts",
    "default_space",
    "ft_transformer",
    "genotype",
    "hybrid",
    "known_networks",
    "mlp",
    "nasbench201",
    "nasnet",
    "published_network",
    "ready_space",
    "tabular",
    "vit",
    "within",
]
