"""Errors that are written for people.

A `UserError` is the user's to mend: the doors print its one or two sentences to stderr and exit with code 2.
Anything else that escapes is a defect of ours.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """What was wrong, the value, where, and the mend, in one or two sentences."""


class DataError(UserError):
    """A source that cannot be read, or data that no network can be trained on."""


class SpaceError(UserError):
    """A space, decision or architecture that is not valid."""


class LimitError(UserError):
    """A limit that is malformed or that nothing in the space can meet."""


class RunError(UserError):
    """A run directory or option of a run that cannot be used."""


class KnowledgeError(UserError):
    """A file of knowledge (architectures, rules, devices) that breaks its schema, or a name that no file has."""


class MissingExtra(UserError):
    """An optional library is needed and absent."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {library}. Install it with: pip install 'nasturtium[{extra}]'")


def hint(value: object, known: Iterable[object], count: int = 3) -> str:
    """A sentence naming the known names nearest to `value`, or all of them when none is near.

    >>> hint("acuracy", ["accuracy", "rmse"])
    "Did you mean 'accuracy'?"
    """
    names = [str(name) for name in known]
    near = get_close_matches(str(value), names, n=count, cutoff=0.5)
    if near:
        return "Did you mean " + " or ".join(repr(name) for name in near) + "?"
    shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return f"Known: {shown}." if names else ""
