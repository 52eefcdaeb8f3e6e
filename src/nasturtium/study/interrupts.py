"""Ctrl-C, put off for the moments in which a record must be written whole."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A Ctrl-C that comes inside takes effect at the end.

    Without it, one in the middle of an append leaves Optuna's lock half taken (it then raises `RuntimeError`), or the
    journal a trial ahead of the memory. Outside the main thread, where Python never interrupts, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came and callable(before):
            before(*came[0])


@contextlib.contextmanager
def noticed() -> Iterator[Callable[[], bool]]:
    """For work that can end early by itself: the function says whether Ctrl-C came; a second one interrupts as usual.

    Outside the main thread, where Python never interrupts, it always says no.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def notice(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, notice)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, before)
