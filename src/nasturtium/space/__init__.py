"""Spaces: trees with decisions left open, and architectures, the points of a space. Standard library and NumPy only."""

from nasturtium.space.architecture import Architecture, Value
from nasturtium.space.decisions import (
    Choice,
    Decision,
    Integer,
    Open,
    Real,
    Repeat,
    choice,
    integer,
    optional,
    real,
    repeat,
)
from nasturtium.space.registry import register, registered
from nasturtium.space.space import Named, Space

__all__ = [
    "Architecture",
    "Choice",
    "Decision",
    "Integer",
    "Named",
    "Open",
    "Real",
    "Repeat",
    "Space",
    "Value",
    "choice",
    "integer",
    "optional",
    "real",
    "register",
    "registered",
    "repeat",
]
