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
    if ".py" in text or text.endswith(".json"):
        return load_space(text, task), f"The space {text} was given."
    if text.replace("_", "-") not in SPACES:
        near = hint(text, SPACES)
        own = " For a space of your own write --space file.py:NAME." if not Path(text).exists() else ""
        raise SpaceError(f"There is no space {text!r}. {near}{own}")
    return ready_space(text, task, limits), f"The space {text} was asked for."
