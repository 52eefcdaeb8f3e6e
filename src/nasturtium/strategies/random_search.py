"""Random search without replacement, the control of every study.

Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019.
"""

from dataclasses import dataclass

from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies.novel import generator, novel
from nasturtium.trial import History


@dataclass(frozen=True)
class Random:
    """Uniform over the live decisions of what is feasible and new."""

    name: str = "random"

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        return novel(history, count, candidates, generator(seed, history), lambda made: None, tries=1)
