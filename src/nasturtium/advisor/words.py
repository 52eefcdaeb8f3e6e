"""The words of a need: kinds of task, modalities, classes of device; and which of them can be trained here."""

from collections.abc import Mapping

TRAINABLE_TASKS = ("classification", "multi-label", "regression")
TASKS = (*TRAINABLE_TASKS, "forecasting", "segmentation", "detection", "language-modelling", "generation")
TRAINABLE_MODALITIES = ("image", "sequence", "table", "audio")
"""Audio as log-mel spectrograms, which are images."""
MODALITIES = (*TRAINABLE_MODALITIES, "text", "graph")
DEVICES = ("microcontroller", "single-board", "phone", "laptop", "cpu-server", "gpu", "tpu")
HARDWARE = ("cpu", "gpu")
FRAMEWORKS = ("any", "pytorch", "onnx", "tensorflow", "jax", "tflite", "coreml")
LICENCES = ("any", "permissive")

MODALITIES_OF: Mapping[str, tuple[str, ...]] = {
    "classification": MODALITIES,
    "multi-label": MODALITIES,
    "regression": MODALITIES,
    "forecasting": ("sequence", "table"),
    "segmentation": ("image",),
    "detection": ("image",),
    "language-modelling": ("text",),
    "generation": ("image", "text", "audio"),
}
"""Modalities that a kind of task is met with, the commonest first for those with few."""
TYPICAL_INPUT: Mapping[str, tuple[int, ...]] = {
    "image": (3, 64, 64),
    "sequence": (1, 128),
    "table": (20,),
    "audio": (1, 49, 10),
    "text": (256,),
    "graph": (32,),
}
"""Shape of one row, where nothing is known of it. Audio: 49 frames of 10 coefficients, as in Zhang et al. 2017
(arXiv:1711.07128). Text: tokens. Graph: features of a node."""


def trainable(task: str, modality: str) -> bool:
    """Can Nasturtium search and train networks for it?"""
    return task in TRAINABLE_TASKS and modality in TRAINABLE_MODALITIES
