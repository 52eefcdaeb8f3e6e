"""The default recipe, by modality, rows and image size: never by the name of a data set."""

from nasturtium.task import Task
from nasturtium.training._recipe import Augmentation, Recipe


def default_recipe(task: Task, rows: int, *, effort: float = 1.0, flip: bool = False) -> Recipe:
    """How a network of this task is trained if nobody says otherwise.

    rows: training rows. effort: factor of the number of epochs. flip: may images be mirrored? Off unless the caller
    knows, or asked `flips_survive`.
    """
    if task.modality == "image":
        augment = Augmentation(flip=flip, shift=0.08, rotate=10, scale=0.1, shear=0.1)
        epochs = max(8, min(100, round(effort * 2500 / max(rows, 1) ** 0.5)))
        return Recipe(lr=1e-2, epochs=epochs, batch_size=64, ema=0.99, augment=augment, label_smoothing=0.05)
    epochs = max(8, min(60, round(effort * 2500 / max(rows, 1) ** 0.5)))
    return Recipe(lr=3e-3, weight_decay=0.05, epochs=epochs, batch_size=64, ema=0.99)
