"""Costs of networks: limits, counted costs and their bounds, the ONNX file and what is measured on it."""

from nasturtium.hardware.limits import Limits, Violation, shown

__all__ = ["Limits", "Violation", "shown"]
