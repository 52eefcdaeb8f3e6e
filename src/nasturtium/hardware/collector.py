"""A pause of Python's garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No collections inside. Filling a memo with 100,000 small objects sets off scans of everything that torch has
    loaded, again and again: two thirds of the time of the bounds. Nothing that is made there is ever garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
