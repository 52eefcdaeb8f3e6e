"""What a workflow tells while it runs. The doors draw it; workflows know nothing of terminals."""

from typing import Protocol

from nasturtium.study import Event


class Progress(Protocol):
    """Listener of a workflow."""

    def phase(self, name: str, detail: str = "") -> None:
        """A new phase began."""
        ...

    def lines(self, lines: list[str]) -> None:
        """Text worth reading: a profile, a table of baselines."""
        ...

    def jobs(self, done: int, total: int, detail: str = "") -> None:
        """How far the jobs of this phase are."""
        ...

    def event(self, event: Event) -> None:
        """Something happened in the study."""
        ...

    def note(self, sentence: str) -> None:
        """A remark or warning."""
        ...


class Silent:
    """Draws nothing."""

    def phase(self, name: str, detail: str = "") -> None:
        pass

    def lines(self, lines: list[str]) -> None:
        pass

    def jobs(self, done: int, total: int, detail: str = "") -> None:
        pass

    def event(self, event: Event) -> None:
        pass

    def note(self, sentence: str) -> None:
        pass
