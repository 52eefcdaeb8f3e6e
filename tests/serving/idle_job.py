"""The program of a background search, whose search does nothing until it is stopped."""

import sys
import time
from types import ModuleType
from typing import Any


def idle(options: Any, progress: Any, started: float) -> None:
    progress.phase("Search")
    progress.note("Idle.")
    while True:
        time.sleep(0.02)


if __name__ == "__main__":
    fake = ModuleType("nasturtium.workflows.search")
    vars(fake)["run_search_workflow"] = idle
    sys.modules[fake.__name__] = fake
    from nasturtium.workflows.job import main

    main()
