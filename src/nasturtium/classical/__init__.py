"""Simple models: fitted with scikit-learn, converted to small torch modules that ship like networks."""

from nasturtium.classical._fit import fit as fit
from nasturtium.classical._fitted import Fitted as Fitted
from nasturtium.classical._spec import Classical as Classical
from nasturtium.classical._spec import applicable as applicable

__all__ = ["Classical", "Fitted", "applicable", "fit"]
