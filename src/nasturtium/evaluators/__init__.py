"""Evaluators: how a subject gets its score."""

from nasturtium.evaluators.inherited import Inherited
from nasturtium.evaluators.standalone import Standalone
from nasturtium.evaluators.subjects import lowered, model_call, restore

__all__ = ["Inherited", "Standalone", "lowered", "model_call", "restore"]
