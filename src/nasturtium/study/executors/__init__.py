"""Executors: where jobs run. `inline` in this process, `local` in processes that may crash or hang."""

from nasturtium.study.executors.inline import InlineExecutor
from nasturtium.study.executors.local import LocalExecutor

__all__ = ["InlineExecutor", "LocalExecutor"]
