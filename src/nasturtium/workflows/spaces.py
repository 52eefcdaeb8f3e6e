"""Which space is searched: a ready one by name, a user's own, or the default for the task."""

from pathlib import Path
from typing import Any

from nasturtium.errors import SpaceError, hint
from nasturtium.hardware import Limits
from nasturtium.space import Space, load_space
from nasturtium.task import Task
from nasturtium.zoo import SPACES, default_space, ready_space


def find_space(wanted: Any, task: Task, limits: Limits) -> tuple[Space, str]:
    """The space and a sentence on why. Raises `SpaceError` for an unknown name or a file that is no space."""
    if wanted is None:
        return default_space(task, limits)
    if isinstance(wanted, Space):
        return wanted, f"The space {wanted.name} was given."
    if callable(wanted):
        return Space(wanted, task), f"The space {getattr(wanted, '__name__', 'space')} was given."
    text = str(wanted)
    if _is_file(text):
        return load_space(text, task), f"The space {text} was given."
    check_space_name(text)
    return ready_space(text, task, limits), f"The space {text} was asked for."


def check_space_name(name: str) -> None:
    """Raise `SpaceError` for a name that is neither a ready space nor the form of a file."""
    if not _is_file(name) and name.lower().replace("_", "-") not in SPACES:
        near = hint(name, SPACES)
        own = " For a space of your own write --space file.py:NAME." if not Path(name).exists() else ""
        raise SpaceError(f"There is no space {name!r}. {near}{own}")


def _is_file(name: str) -> bool:
    return ".py" in name or name.endswith(".json")
