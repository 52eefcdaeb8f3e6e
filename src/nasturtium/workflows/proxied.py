"""Candidates with zero-cost proxies: measured on the user's own rows, one network at a time, when a strategy looks."""

from collections.abc import Sequence
from functools import partial
from time import perf_counter

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.hardware import CostModel, Lazy, LimitedCandidates
from nasturtium.proxies import PROXIES, Batch, measure
from nasturtium.proxies.measure import resolve
from nasturtium.roles import Features
from nasturtium.space import Architecture, Space
from nasturtium.task import Task
from nasturtium.training import find_device
from nasturtium.workflows.session import Session
from nasturtium.workflows.untrained import drawn_batch, untrained

LEADING = ("nwot", "synflow", "jacov")
"""Those that rank best by themselves in published tables come first: a promise looks at them (`roles.Features`)."""
SAMPLED = 8


class Proxied:
    """Architectures within the limits, with the group "measured" among their features; fulfils `roles.Candidates`.

    names: of `PROXIES`. seed: of the untrained weights, the same for every network. device: where they are measured.
    Each network is measured once; `measured` and `seconds` say how many were, and how long that took. Raises `RunError`
    where a proxy does not suit the task, or cannot be worked out for a network of the space.
    """

    def __init__(
        self, inner: LimitedCandidates, task: Task, batch: Batch, names: Sequence[str], seed: int, device: str = "cpu"
    ) -> None:
        self._inner, self._task, self._batch, self._seed = inner, task, batch, seed
        self._device = find_device(device)
        self.names = tuple(sorted(resolve(names, batch), key=[*LEADING, *PROXIES].index))
        self.seconds = 0.0
        self._scores: dict[str, Float[np.ndarray, " proxies"]] = {}

    @property
    def space(self) -> Space:
        return self._inner.space

    @property
    def listed(self) -> Sequence[Architecture] | None:
        return self._inner.listed

    @property
    def measured(self) -> int:
        return len(self._scores)

    def feasible(self, architecture: Architecture) -> bool:
        return self._inner.feasible(architecture)

    def sample(self, rng: np.random.Generator) -> Architecture:
        return self._inner.sample(rng)

    def features(self, architecture: Architecture) -> Features:
        """Those of the candidates within, and the proxies: higher is better, NaN where one has no finite value."""
        known = self._inner.features(architecture)
        makers = {group: partial(known.__getitem__, group) for group in known}
        return Lazy({**makers, "measured": lambda: self._scored(self.space.attach(architecture))})

    def _scored(self, architecture: Architecture) -> Float[np.ndarray, " proxies"]:
        found = self._scores.get(architecture.arch_id)
        if found is None:
            began = perf_counter()
            network = untrained(architecture, self._task, self._seed).to(self._device)
            try:
                scores = measure(network, self._batch, self.names, self._seed)
            except Exception as error:
                raise RunError(
                    f"--proxies {','.join(self.names)} cannot be worked out for a network of the space "
                    f"{self.space.name!r} ({type(error).__name__}: {error}). Name others, or leave --proxies out."
                ) from error
            turned = np.array([PROXIES[name].turned(scores[name]) for name in self.names])
            found = np.where(np.isfinite(turned), turned, np.nan)
            self._scores[architecture.arch_id] = found
            self.seconds += perf_counter() - began
        return found

    def sentence(self) -> str:
        """What they cost, for the notes of a run."""
        each = 1e3 * self.seconds / max(1, self.measured)
        return (
            f"The proxies {', '.join(self.names)} of {self.measured:,} untrained networks took {self.seconds:.1f} s "
            f"({each:.0f} ms each) of the search's time."
        )


def proxied(session: Session, candidates: LimitedCandidates) -> Proxied:
    """The candidates of a run that was asked to use proxies; they see training rows of the search alone."""
    rng, costs = np.random.default_rng(0), CostModel(candidates.space)
    activations = [float(costs(candidates.sample(rng))["activations"]) for _ in range(SAMPLED)]
    seed = session.seed("proxies")
    batch = drawn_batch(session.data.development, max(activations), seed)
    options = session.options
    return Proxied(candidates, session.task, batch, options.proxies, seed, options.accelerator)
