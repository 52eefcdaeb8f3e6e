"""Ready spaces and known networks."""

from nasturtium.zoo.conv_macro import conv_macro
from nasturtium.zoo.tabular import mlp, tabular

__all__ = ["conv_macro", "mlp", "tabular"]
