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
from nasturtium.space.encoding import Encoding, encode, hamming, integer_codes
from nasturtium.space.listing import listed
from nasturtium.space.loading import import_file, load_space
from nasturtium.space.registry import register, registered
from nasturtium.space.space import Named, Space
from nasturtium.space.space_json import space_from_json
from nasturtium.space.space_writer import space_to_json
from nasturtium.space.variation import crossover, mutate, neighbours

__all__ = [
    "Architecture",
    "Choice",
    "Decision",
    "Encoding",
    "Integer",
    "Named",
    "Open",
    "Real",
    "Repeat",
    "Space",
    "Value",
    "choice",
    "crossover",
    "encode",
    "hamming",
    "import_file",
    "integer",
    "integer_codes",
    "listed",
    "load_space",
    "mutate",
    "neighbours",
    "optional",
    "real",
    "register",
    "registered",
    "repeat",
    "space_from_json",
    "space_to_json",
]
