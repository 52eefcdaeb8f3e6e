"""Bayesian optimisation with a Gaussian process, Optuna's.

Snoek, Larochelle and Adams, "Practical Bayesian Optimization of Machine Learning Algorithms", NeurIPS 2012, with the
log expected improvement of Ament et al. 2023 (arXiv:2310.20708); several objectives by its hypervolume form (Daulton,
Balandat and Bakshy 2020, arXiv:2006.05078).
"""

from dataclasses import dataclass

from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies._mirror import mirror, modelled, proposal
from nasturtium.strategies._optuna import REPAIRS, quiet, repaired
from nasturtium.strategies.novel import generator, novel
from nasturtium.trial import History


@dataclass(frozen=True)
class Gp:
    """A Matérn-5/2 process over the decisions that are live in all trials; conditional ones are drawn at random.

    startup: random trials before the model is used (10, Optuna's). Running trials are taken into account; fidelities
    as in `Tpe`. Where the best point was tried already, mutations of it follow, so the places of one batch after the
    first lie around it.

    Slow: an ask takes 0.1 to 0.5 s and grows with the cube of the trials, so it is for trainings that take minutes.
    For spaces whose graphs matter, or with many conditional decisions, `auto` and `nas-bowl` see more.
    """

    startup: int = 10
    name: str = "gp"

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        import optuna

        rng = generator(seed, history)
        fidelity = modelled(history, self.startup)
        if fidelity is None:
            return novel(history, count, candidates, rng, lambda made: None, tries=1)
        space = candidates.space
        with quiet():
            study = mirror(space, len(history.objectives)).follow(history, fidelity)
            study.sampler = optuna.samplers.GPSampler(
                seed=int(rng.integers(2**31)), n_startup_trials=self.startup, warn_independent_sampling=False
            )
            # One try: asked again, the process would give the same best point.
            attempt = repaired(lambda: proposal(study, space), rng, tries=1)
            return novel(history, count, candidates, rng, attempt, 1 + REPAIRS)
