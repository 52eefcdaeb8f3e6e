"""Costs of networks: limits, counted costs and their bounds, the ONNX file and what is measured on it."""

from nasturtium.hardware.bounds import Bounds
from nasturtium.hardware.candidates import LimitedCandidates
from nasturtium.hardware.costs import COUNTED, CostModel, block_costs
from nasturtium.hardware.limits import Limits, Violation, shown

__all__ = ["COUNTED", "Bounds", "CostModel", "LimitedCandidates", "Limits", "Violation", "block_costs", "shown"]
