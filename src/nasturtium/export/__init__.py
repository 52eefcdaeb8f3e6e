"""Export: the files of a trained model, checked against it, and an ONNX Runtime predictor."""

from nasturtium.export._check import Agreement as Agreement
from nasturtium.export.card import CardFacts as CardFacts
from nasturtium.export.deployable import Deployable as Deployable
from nasturtium.export.predictor import Predictions as Predictions
from nasturtium.export.predictor import RunModel as RunModel
from nasturtium.export.predictor import load_run_model as load_run_model
from nasturtium.export.write import ExportReport as ExportReport
from nasturtium.export.write import write_best as write_best
from nasturtium.export.write import write_card as write_card

__all__ = [
    "Agreement", "CardFacts", "Deployable", "ExportReport", "Predictions", "RunModel", "load_run_model", "write_best",
    "write_card",
]  # fmt: skip
