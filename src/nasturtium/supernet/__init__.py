"""Weight sharing: the supernet of any space, and the one-shot trainers that live on it."""

from nasturtium.supernet.checkpoint import load_supernet, save_supernet
from nasturtium.supernet.mixtures import Mixture
from nasturtium.supernet.recalibration import recalibrate
from nasturtium.supernet.supernet import Supernet

__all__ = ["Mixture", "Supernet", "load_supernet", "recalibrate", "save_supernet"]
