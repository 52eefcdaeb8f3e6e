"""Full training: every architecture gets all the epochs."""

from dataclasses import dataclass

from nasturtium.roles import Fresh
from nasturtium.trial import Fidelity, History


@dataclass(frozen=True)
class Full:
    """Every trial is fresh and trains for `epochs`."""

    epochs: int
    name: str = "full"

    def next(self, history: History) -> Fresh:
        return Fresh(Fidelity(self.epochs))

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        return False
