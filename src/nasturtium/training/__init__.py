"""Training: recipes, the one loop, metrics, checkpoints."""

from nasturtium.training._checkpoint import load_checkpoint as load_checkpoint
from nasturtium.training._checkpoint import read_metadata as read_metadata
from nasturtium.training._checkpoint import save_checkpoint as save_checkpoint
from nasturtium.training._defaults import default_recipe as default_recipe
from nasturtium.training._device import derive_seed as derive_seed
from nasturtium.training._device import find_device as find_device
from nasturtium.training._device import generator as generator
from nasturtium.training._device import seeded as seeded
from nasturtium.training._device import set_threads as set_threads
from nasturtium.training._loop import Trained as Trained
from nasturtium.training._loop import train as train
from nasturtium.training._predict import predict as predict
from nasturtium.training._recipe import Augmentation as Augmentation
from nasturtium.training._recipe import Recipe as Recipe
from nasturtium.training._schedule import Pace as Pace
from nasturtium.training._target import TargetScale as TargetScale
from nasturtium.training.augment import flips_survive as flips_survive
from nasturtium.training.metrics import METRICS as METRICS
from nasturtium.training.metrics import Metric as Metric
from nasturtium.training.metrics import default_metric as default_metric
from nasturtium.training.metrics import find_metric as find_metric
from nasturtium.training.metrics import probabilities as probabilities
