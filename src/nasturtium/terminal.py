"""What a person sees in the terminal: a live view where there is one, plain lines elsewhere. Drawn on stderr."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap
from time import monotonic
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nasturtium.study import Event, Finished, Plateau
from nasturtium.trial import History, Objective, Trial
from nasturtium.workflows.progress import Progress, Silent

EVERY_S = 30.0
"""Without a live view, at most one line on jobs in so many seconds."""


@contextmanager
def view(quiet: bool = False, live: bool = True) -> Iterator[Progress]:
    """The listener of a workflow for this terminal; silent when only JSON is wanted. live: redraw a panel where that is
    possible; off where questions are asked in between."""
    if quiet:
        yield Silent()
        return
    console = Console(stderr=True, highlight=False, soft_wrap=False)
    drawn = LiveView(console) if live and console.is_terminal else PlainView(console)
    with drawn:
        yield drawn


class PlainView:
    """One line for each thing worth saying."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.best: Trial | None = None
        self._told = monotonic()

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def phase(self, name: str, detail: str = "") -> None:
        self.console.print(Text.assemble((name, "bold"), f"  {detail}" if detail else ""))

    def lines(self, lines: list[str]) -> None:
        for line in lines:
            self.console.print(f"  {line}", markup=False)

    def jobs(self, done: int, total: int, detail: str = "") -> None:
        if monotonic() - self._told >= EVERY_S:
            self._told = monotonic()
            self.console.print(f"  {done} of {total}  {detail}", markup=False)

    def event(self, event: Event) -> None:
        if isinstance(event, Plateau):
            self.note(event.sentence)
        if isinstance(event, Finished) and event.trial.scored:
            best = leader(event.history)
            if best is not None and best != self.best:
                self.best = best
                self.console.print(f"  {describe(best, event.history.objectives)}", markup=False)

    def note(self, sentence: str) -> None:
        lines = wrap(f"note: {sentence}", self.console.width - 2, break_long_words=False, break_on_hyphens=False)
        for line in lines:
            self.console.print(f"  {line}", markup=False, style="yellow")


class LiveView(PlainView):
    """Phases above, and below them one panel that is redrawn while jobs run."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.live = Live(console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "LiveView":
        self.live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._clear()
        self.live.stop()

    def phase(self, name: str, detail: str = "") -> None:
        self._clear()
        super().phase(name, detail)

    def lines(self, lines: list[str]) -> None:
        self._clear()
        super().lines(lines)

    def _clear(self) -> None:
        """At once: else the panel of what is over is drawn below what is printed next."""
        self.live.update(Text(""), refresh=True)

    def jobs(self, done: int, total: int, detail: str = "") -> None:
        filled = round(24 * done / max(total, 1))
        self.live.update(Text(f"  {'━' * filled}{'╌' * (24 - filled)} {done}/{total}  {detail}"[:78], style="cyan"))

    def event(self, event: Event) -> None:
        if isinstance(event, Plateau):
            self.note(event.sentence)
        if isinstance(event, Finished):
            self.live.update(panel(event))


def leader(history: History) -> Trial | None:
    """The best trial by the first objective at the highest fidelity."""
    top = max((trial.fidelity for trial in history.scored), default=None)
    rivals = [trial for trial in history.scored if trial.fidelity == top]
    goal = history.objectives[0]
    return min(rivals, key=lambda trial: goal.sign * trial.measures[goal.name], default=None)


def describe(trial: Trial, objectives: tuple[Objective, ...]) -> str:
    """One trial in one line."""
    metric, *costs = objectives
    names = list(dict.fromkeys([*(goal.name for goal in costs), "params"]))
    told = [shown(name, trial.measures[name]) for name in names if name in trial.measures]
    scores = "  ".join([f"{metric.name} {trial.measures[metric.name]:.4g}", *told])
    return f"trial {trial.number:>4}  {scores}  {trial.seconds:.1f} s  ({trial.origin})"


def shown(name: str, value: float) -> str:
    """A cost in words: `3,363 params`, `0.021 ms`."""
    return f"{value:.3g} ms" if name == "latency_ms" else f"{value:,.0f} {name}"


def panel(event: Finished) -> Group:
    """Trials, budget, best, front and failures of a running study."""
    history = event.history
    table = Table.grid(padding=(0, 2))
    ended = [trial for trial in history.trials if trial.state != "running"]
    left = "" if event.seconds_left is None else f", {max(0.0, event.seconds_left):.0f} s left"
    left += "" if event.trials_left is None else f", {event.trials_left} left"
    table.add_row("  trials", f"{len(ended)} done, {len(history.running)} running{left}")
    best = leader(history)
    if best is not None:
        table.add_row("  best", describe(best, history.objectives))
    if len(history.objectives) > 1:
        size = front_size(history)
        table.add_row("  front", f"{size} network{'s' if size > 1 else ''} that no other beats everywhere")
    failures = Counter(trial.failure for trial in history.trials if trial.failure is not None)
    for reason, count in failures.most_common(3):
        table.add_row("  failed", f"{count} × {reason}"[:66])
    return Group(table)


def front_size(history: History) -> int:
    """Trials on the Pareto front."""
    from nasturtium import pareto

    return int((pareto.fronts(history.losses()) == 0).sum())


def show_result(result: Any) -> None:
    """The end of a search: verdict, figures, files."""
    console = Console(highlight=False)
    for line in result.lines():
        console.print(line, markup=False)
