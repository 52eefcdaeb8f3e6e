"""Supernets on disk: safetensors, and what made them as JSON in the header."""

import json
from pathlib import Path

import safetensors

from nasturtium.errors import RunError
from nasturtium.space import Space
from nasturtium.supernet.supernet import Supernet
from nasturtium.training import load_checkpoint, read_metadata, save_checkpoint

FORMAT = 1
"""Version of the header."""
MADE = ("seed", "partial", "precise", "transforms")
"""What a supernet was made with; one that was written before there were transforms has none."""


def save_supernet(supernet: Supernet, path: str | Path) -> None:
    """Write the shared weights. The file appears whole or not at all."""
    made = {name: getattr(supernet, name) for name in MADE}
    save_checkpoint(supernet, path, {"supernet": FORMAT, "space": supernet.space.name} | made)


def load_supernet(path: str | Path, space: Space) -> Supernet:
    """The supernet of `save_supernet`, on the CPU. space: the one that it was made for.

    Raises `RunError` for a file that is absent, damaged, no supernet, or of another space.
    """
    path = Path(path)
    if not path.is_file():
        raise RunError(f"The supernet {path} does not exist.")
    try:
        facts = read_metadata(path)
    except (safetensors.SafetensorError, json.JSONDecodeError) as error:
        raise RunError(f"The supernet {path} is damaged or no safetensors file: {error}.") from error
    if facts.get("supernet") != FORMAT:
        raise RunError(f"The file {path} holds no supernet that this version can read. Train it anew.")
    if facts["space"] != space.name:
        raise RunError(f"The supernet {path} is of the space {facts['space']!r}, not {space.name!r}.")
    supernet = Supernet(space, **{name: facts[name] for name in MADE if name in facts})
    load_checkpoint(supernet, path)
    return supernet
