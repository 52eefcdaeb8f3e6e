"""Export: the files of a trained model, checked against it, and ONNX Runtime to run them."""

from nasturtium.export._check import Agreement as Agreement
from nasturtium.export._folder import whole as whole
from nasturtium.export.card import CardFacts as CardFacts
from nasturtium.export.deployable import Deployable as Deployable
from nasturtium.export.runtime import OnnxModel as OnnxModel
from nasturtium.export.write import ExportReport as ExportReport
from nasturtium.export.write import write_best as write_best
from nasturtium.export.write import write_card as write_card

__all__ = ["Agreement", "CardFacts", "Deployable", "ExportReport", "OnnxModel", "whole", "write_best", "write_card"]
