"""Tree-structured Parzen estimators, Optuna's.

Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011; with several
objectives, Ozaki et al., "Multiobjective Tree-Structured Parzen Estimator", JAIR 2022.
"""

from dataclasses import dataclass

from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies._mirror import mirror, modelled, proposal
from nasturtium.strategies._optuna import REPAIRS, SAMPLER_TRIES, quiet, repaired
from nasturtium.strategies.novel import generator, novel
from nasturtium.trial import Fidelity, History


@dataclass(frozen=True)
class Tpe:
    """Decisions that are live in all trials are modelled jointly; conditional ones apart, where they are live.

    startup: random trials before the model is used (10, Optuna's). draws: from the model of good trials for each
    proposal, of which the most promising is proposed (24, Optuna's; NAS-Bench-201's BOHB has 4). With several
    fidelities the model sees the highest one that has so many trials; with the Hyperband scheduler this is BOHB
    (Falkner, Klein and Hutter 2018, ICML, arXiv:1807.01774), with Optuna's kernel densities for its own, and the
    study's control for its random fraction. Running trials count as bad ones, so that workers spread out.
    """

    startup: int = 10
    draws: int = 24
    name: str = "tpe"

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        import optuna

        rng = generator(seed, history)
        fidelity = self.fidelity(history)
        if fidelity is None:
            return novel(history, count, candidates, rng, lambda made: None, tries=1)
        space = candidates.space
        with quiet():
            study = mirror(space, len(history.objectives)).follow(history, fidelity)
            study.sampler = optuna.samplers.TPESampler(
                seed=int(rng.integers(2**31)),
                multivariate=True,
                n_startup_trials=self.startup,
                n_ei_candidates=self.draws,
            )
            attempt = repaired(lambda: proposal(study, space), rng)
            return novel(history, count, candidates, rng, attempt, SAMPLER_TRIES + REPAIRS)

    def fidelity(self, history: History) -> Fidelity | None:
        """The highest with `startup` scored trials, or None."""
        return modelled(history, self.startup)
