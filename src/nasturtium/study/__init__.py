"""The study: where a strategy, a scheduler and an evaluator meet. It is handed concrete parts."""

from nasturtium.study.events import Ended, Event, Finished, OnEvent, Plateau, Started
from nasturtium.study.executors import InlineExecutor, LocalExecutor
from nasturtium.study.interrupts import noticed
from nasturtium.study.loop import Study, run_study, without_running
from nasturtium.study.plateau import expected_best, plateau
from nasturtium.study.records import Identity
from nasturtium.study.store import JournalStore, MemoryStore, Store, read_identity, read_study

__all__ = [
    "Ended",
    "Event",
    "Finished",
    "Identity",
    "InlineExecutor",
    "JournalStore",
    "LocalExecutor",
    "MemoryStore",
    "OnEvent",
    "Plateau",
    "Started",
    "Store",
    "Study",
    "expected_best",
    "noticed",
    "plateau",
    "read_identity",
    "read_study",
    "run_study",
    "without_running",
]
