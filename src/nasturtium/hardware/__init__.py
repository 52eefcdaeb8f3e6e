"""Costs of networks: limits, counted costs and their bounds, the ONNX file and what is measured on it."""

from nasturtium.hardware.bounds import Bounds
from nasturtium.hardware.candidates import Lazy, LimitedCandidates
from nasturtium.hardware.costs import COUNTED, CostModel, block_costs
from nasturtium.hardware.devices import find_device
from nasturtium.hardware.latency import Latency, measure_latency
from nasturtium.hardware.limits import Limits, Violation, shown
from nasturtium.hardware.measured import measure_file
from nasturtium.hardware.onnx_file import write_onnx
from nasturtium.hardware.space_check import CostRange, SpaceCheck, check_space

__all__ = [
    "COUNTED",
    "Bounds",
    "CostModel",
    "CostRange",
    "Latency",
    "Lazy",
    "LimitedCandidates",
    "Limits",
    "SpaceCheck",
    "Violation",
    "block_costs",
    "check_space",
    "find_device",
    "measure_file",
    "measure_latency",
    "shown",
    "write_onnx",
]
