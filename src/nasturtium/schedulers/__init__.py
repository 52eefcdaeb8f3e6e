"""Schedulers: who gets how much training."""

from nasturtium.schedulers.asha import Asha
from nasturtium.schedulers.extrapolation import CurveStopping
from nasturtium.schedulers.full import Full
from nasturtium.schedulers.halving import SuccessiveHalving
from nasturtium.schedulers.hyperband import Hyperband
from nasturtium.schedulers.median import MedianStopping
from nasturtium.schedulers.pausing import CurvePausing
from nasturtium.schedulers.registry import SCHEDULERS, scheduler
from nasturtium.schedulers.rungs import rungs

__all__ = [
    "SCHEDULERS",
    "Asha",
    "CurvePausing",
    "CurveStopping",
    "Full",
    "Hyperband",
    "MedianStopping",
    "SuccessiveHalving",
    "rungs",
    "scheduler",
]
