"""Evaluators: how a subject gets its score."""

from nasturtium.evaluators.standalone import Standalone
from nasturtium.evaluators.subjects import lowered, model_call, restore

__all__ = ["Standalone", "lowered", "model_call", "restore"]
