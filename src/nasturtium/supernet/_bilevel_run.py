"""One run of a gradient-based search: the alternation, its schedule, its trace and its checkpoints."""

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nasturtium.errors import LimitError, RunError
from nasturtium.roles import Derived, SearchBudget, Trace, TraceEpoch, TraceReport, Wanted
from nasturtium.supernet import _bilevel_state as state
from nasturtium.supernet._bilevel_steps import Steps, load_optimizer, optimizer_tensors
from nasturtium.supernet.derivation import cheapest, derive
from nasturtium.supernet.eigenvalue import EarlyStop, dominant_eigenvalue
from nasturtium.supernet.monitors import Watch, entropy, skip_share
from nasturtium.supernet.one_shot import Halves, Mix, Moment, Pair, Pulse, SearchRows
from nasturtium.supernet.penalty import Lagrangian
from nasturtium.supernet.refusals import refuse_fixed
from nasturtium.training import Pace, Recipe, build_loss, generator, uses_bfloat16

if TYPE_CHECKING:
    from nasturtium.supernet.bilevel import Bilevel, Settings
    from nasturtium.supernet.supernet import Supernet

REVIEW = 10
"""Steps at most between looks at what would be derived, for the multipliers of the limits."""


class Run:
    """The search `method` on one supernet."""

    def __init__(
        self,
        method: "Bilevel",
        supernet: "Supernet",
        rows: SearchRows,
        budget: SearchBudget,
        seed: int,
        wanted: Wanted,
        checkpoint: Path | None,
    ) -> None:
        self.method, self.supernet, self.seed, self.wanted, self.file = method, supernet, seed, wanted, checkpoint
        self.settings = method.settings if budget.epochs is None else replace(method.settings, epochs=budget.epochs)
        self.deadline_s = budget.deadline_s
        self.started = self.saved = time.monotonic()
        self.pulse = Pulse()
        device = next(supernet.parameters()).device
        self.mixtures = tuple(supernet.mixtures)
        if not self.mixtures:
            refuse_fixed(supernet.space, method.name)
        self.halves = Halves(rows, self.settings.batch_size, self.settings.train_share, seed, device)
        self.steps_in_all = self.settings.epochs * self.halves.steps
        self.parameters = _started(method.start(self.mixtures), seed)
        self.adam = _adam(self.parameters, self.settings)
        bfloat16 = method.order == 1 and uses_bfloat16(rows.precision, device)
        self.steps = Steps(supernet, build_loss(rows.task.kind, Recipe()), self.settings, bfloat16, seed)
        self.review = max(1, min(REVIEW, self.steps_in_all // 200))
        self.limits = Lagrangian(supernet, wanted, self.steps_in_all, seed)
        options = tuple(mixture.options for mixture in self.mixtures)
        self.watch = Watch(method.name, options, method.early_stop or EarlyStop())
        self.at = state.Position(kept=[list(range(len(names))) for names in options])
        self.epochs: list[TraceEpoch] = []
        self.remarks: list[str] = list(self.limits.remarks)
        if method.without_cells and all(mixture.kind != "edge" for mixture in self.mixtures):
            self.remarks.append(method.without_cells)
        self.identity = self._identity(len(rows.inputs))

    def _identity(self, rows: int) -> str:
        method = self.method
        return state.identity(
            method=method.name,
            order=method.order,
            options=getattr(method.relax, "keywords", {})
            | getattr(method.penalty, "keywords", {})
            | ({"idle": True} if method.idle else {}),
            stages=[asdict(stage) for stage in method.stages],
            settings=asdict(self.settings),
            seed=self.seed,
            space=self.supernet.space.name,
            rows=rows,
            mixtures=[mixture.name for mixture in self.mixtures],
        )

    def train(self, report: TraceReport | None) -> Derived:
        """To the end of the schedule, or what ends it before."""
        self._refuse_hopeless_limits()
        self.supernet.idle = self.method.idle
        wanted = self.method.stages[self.at.stage].partial
        if self.supernet.partial != wanted:
            raise RunError(
                f"{self.method.name} begins with 1/{wanted} of the channels mixed, and the supernet mixes "
                f"1/{self.supernet.partial}. Build it with Supernet(space, partial={wanted})."
            )
        # A search that an earlier run stopped stays stopped.
        end = "finished" if self._back_to() is None else "eigenvalue"
        before, pace = self.at.progress, self._pace()
        while not pace.done and end == "finished":
            self.supernet.train()
            asked = False
            for train, valid in self.halves.epoch(self.at.epoch, self.at.step):
                self._step(train, valid)
                pace.advance()
                self.at.shortened = self.at.shortened or pace.bound
                # The plain quotient is the same whether or not the search was interrupted, to the last bit.
                exact = self.at.total / self.steps_in_all
                self.at.progress = before + (1 - before) * pace.progress if self.at.shortened else exact
                if pace.done:
                    break
                self._save_if_due()
                asked = report is not None and self.pulse.due() and report(self._trace("finished"))
                if asked:
                    break
            end = self._epoch_ends(report)
            end = "report" if asked else end
        self.save()
        if end == "finished" and self.at.total < self.steps_in_all:
            end = "deadline"
            self.remarks.append(
                f"Deadline: {self.deadline_s:.3g} s allowed {self._passes:.1f} of "
                f"{self.settings.epochs} epochs; the whole schedule was shortened to them."
            )
        return self._derived(end)

    def _step(self, train: Pair, valid: Pair) -> None:
        """One step of both, in the order that the settings say."""
        at, settings = self.at, self.settings
        valid = train if settings.train_share == 1 else valid
        self._enter_stage()
        lr = settings.lr_min + (settings.lr - settings.lr_min) * 0.5 * (1 + np.cos(np.pi * at.progress))
        if settings.architecture_first:
            self._move_architecture(train, valid, lr)
        mix = self._mix("weights")
        loss = self.steps.learn(train, mix, lr, f"weights {at.total}")
        if not settings.architecture_first:
            self._move_architecture(train, valid, lr)
        at.train = at.train + loss
        at.step, at.total = at.step + 1, at.total + 1
        self._note_parts()

    def _move_architecture(self, train: Pair, valid: Pair, lr: float) -> None:
        """Adam on the validation loss and the penalties."""
        at, method = self.at, self.method
        if self._frozen():
            return
        mix = self._mix("architecture")
        loss, gradients = self.steps.gradient(train, valid, mix, lr, f"architecture {at.total}", method.order)
        self.adam.zero_grad(set_to_none=True)
        torch.autograd.backward(mix.weights, gradients)
        extra = self.limits.penalty(self._shares())
        if method.penalty is not None:
            extra = extra + method.penalty(self.parameters, at.progress)
        if extra.requires_grad:
            extra.backward()
        self.adam.step()
        if not all(bool(parameter.isfinite().all()) for parameter in self.parameters):
            raise self._diverged("an architecture weight is not a number")
        at.valid, at.valid_steps = at.valid + loss, at.valid_steps + 1
        if self.wanted.limits and at.valid_steps % self.review == 0:
            self.limits.ascend(self.limits.costs(self.supernet.derive(self._weights())), self.review)

    def _mix(self, purpose: str) -> Mix:
        return self.method.relax(self.parameters, self._moment(purpose))

    def _moment(self, purpose: str) -> Moment:
        kept = tuple(tuple(options) for options in self.at.kept)
        return Moment(self.mixtures, self.at.progress, kept, generator(self.seed, f"{purpose} {self.at.total}"))

    def _probabilities(self) -> list[Tensor]:
        """What is derived from, pruned options at 0."""
        found = self.method.probabilities(self.parameters, self.mixtures)
        return [_masked(weights, kept) for weights, kept in zip(found, self.at.kept, strict=True)]

    def _shares(self) -> list[Tensor]:
        """The same, adding up to 1 in each mixture even where edges are weighed too: what costs are expected of."""
        return [weights / weights.sum() for weights in self._probabilities()]

    def _weights(self) -> list[Float[np.ndarray, " options"]]:
        return [weights.detach().numpy() for weights in self._probabilities()]

    def _stage(self) -> tuple[int, float]:
        """Number of the stage, and how far it is, from 0 to 1."""
        total, start = sum(stage.share for stage in self.method.stages), 0.0
        for number, stage in enumerate(self.method.stages):
            share = stage.share / total
            if self.at.progress < start + share or number == len(self.method.stages) - 1:
                return number, (self.at.progress - start) / share
            start += share
        raise AssertionError("a search has at least one stage")

    def _frozen(self) -> bool:
        number, passed = self._stage()
        return passed < self.method.stages[number].frozen

    def _enter_stage(self) -> None:
        """Prune, and widen the mixed part, where a stage begins."""
        number, _ = self._stage()
        while self.at.stage < number:
            self.at.stage += 1
            stage = self.method.stages[self.at.stage]
            if stage.keep is not None:
                self._prune(stage.keep)
            if stage.partial != self.supernet.partial:
                self.supernet.widen(stage.partial)

    @torch.no_grad()
    def _prune(self, keep: int) -> None:
        """Leave the strongest options of each mixture; the parameters of the others start anew at 0 (DrNAS' code)."""
        for place, weights in enumerate(self._weights()):
            kept = sorted(np.argsort(-weights, kind="stable")[: min(keep, len(self.at.kept[place]))].tolist())
            self.at.kept[place] = kept
            gone = [option for option in range(len(weights)) if option not in kept]
            self.parameters[place][gone] = 0.0

    def _epoch_ends(self, report: TraceReport | None) -> str:
        """Write the trace, remark, and say whether to go on: "finished" as long as nothing ends the search."""
        at = self.at
        weights = tuple(self._weights())
        derived = self.supernet.derive(weights)
        train = float(at.train) / max(1, at.step)
        if not np.isfinite(train):
            raise self._diverged("the loss of the weights is not a number")
        self.epochs.append(
            TraceEpoch(
                weights=weights,
                entropy=entropy(weights),
                skips=skip_share(self.watch.options, self.supernet.chosen(derived)),
                train_loss=train,
                validation_loss=float(at.valid) / at.valid_steps if at.valid_steps else None,
                eigenvalue=self._eigenvalue(),
                costs={name: float(cost.detach()) for name, cost in self.limits.expected(self._shares()).items()},
                derived_costs=self.limits.costs(derived),
            )
        )
        at.epoch, at.step, at.train, at.valid, at.valid_steps = at.epoch + 1, 0, 0.0, 0.0, 0
        self.remarks += self.watch.remarks(self.epochs, self.settings.epochs, self.remarks)
        if report is not None and report(self._trace("finished")):
            return "report"
        return "eigenvalue" if self._back_to() is not None else "finished"

    def _eigenvalue(self) -> float | None:
        """None too where a deadline has ended the search: it takes as long as several steps."""
        cut = self.at.shortened and self.at.progress >= 1
        if self.method.early_stop is None or cut:
            return None
        flat = torch.cat([parameter.detach() for parameter in self.parameters])
        batch, counts = self.halves.fixed(), [len(parameter) for parameter in self.parameters]

        def gradient(point: Tensor) -> Tensor:
            leaf = point.clone().requires_grad_()
            probabilities = self.method.probabilities(leaf.split(counts), self.mixtures)
            weights = [_masked(part, kept) for part, kept in zip(probabilities, self.at.kept, strict=True)]
            gradients = self.steps.precise_gradient(batch, Mix(tuple(weights)))
            torch.autograd.backward(weights, gradients)
            assert leaf.grad is not None
            return leaf.grad

        return dominant_eigenvalue(gradient, flat, generator(self.seed, "eigenvalue"))

    def _back_to(self) -> int | None:
        """The epoch whose architecture is kept, if the eigenvalue says so."""
        rule = self.method.early_stop
        if rule is None or not rule.stop:
            return None
        return rule.back_to([epoch.eigenvalue for epoch in self.epochs if epoch.eigenvalue is not None])

    def _derived(self, ended: str) -> Derived:
        weights = tuple(self._weights())
        back = self._back_to()
        if ended == "eigenvalue" and back is not None:
            weights = self.epochs[back].weights
            self.remarks.append(
                f"Stopped: after epoch {len(self.epochs)} of {self.settings.epochs}, because the dominant eigenvalue "
                f"grew; the architecture is that of epoch {back + 1} (Zela et al. 2020)."
            )
        else:
            self.remarks += self.watch.final(self.epochs, self._passes, self.remarks)
        architectures, remarks = derive(self.supernet, weights, self.wanted, self.limits)
        self.remarks += remarks
        return Derived(architectures, self._trace(ended))

    def _trace(self, ended: str) -> Trace:
        named = tuple((mixture.name, mixture.options) for mixture in self.mixtures)
        seconds = self.at.seconds + time.monotonic() - self.started
        share = self.at.progress
        told = tuple(self.epochs), tuple(self.remarks)
        return Trace(self.method.name, named, *told, ended, seconds, share, self._passes)

    @property
    def _passes(self) -> float:
        """Over the rows of the weights, the last in part."""
        return self.at.total / self.halves.steps

    def _pace(self) -> Pace:
        spent_s = time.monotonic() - self.started
        left_s = None if self.deadline_s is None else max(0.0, self.deadline_s - spent_s)
        return Pace(max(0, self.steps_in_all - self.at.total), left_s)

    def _note_parts(self) -> None:
        if self.steps.parts > self.at.parts:
            self.at.parts = self.steps.parts
            self.remarks.append(
                f"Memory: a batch of {self.settings.batch_size} rows did not fit; from step {self.at.total} on it is "
                f"run in {self.at.parts} parts whose gradients are added up (batch norms see one part at a time)."
            )

    def _refuse_hopeless_limits(self) -> None:
        if not self.wanted.limits:
            return
        uniform = [np.full(len(mixture.options), 1 / len(mixture.options)) for mixture in self.mixtures]
        least = cheapest(self.supernet, uniform, self.limits)
        for name, limit in self.wanted.limits.items():
            if name not in self.wanted.costs and least[name] > limit:
                raise LimitError(
                    f"The cheapest architecture found in the space has {name} {least[name]:,.6g}, above the limit "
                    f"{limit:,.6g}. Loosen the limit, or give the space smaller options."
                )

    def _diverged(self, what: str) -> RunError:
        kept = f" The last checkpoint, {self.file}, is kept." if self.file is not None and self.file.is_file() else ""
        return RunError(
            f"{self.method.name} diverged at step {self.at.total} (epoch {self.at.epoch + 1}) with seed {self.seed}: "
            f"{what}. Lower lr ({self.settings.lr:g}) or arch_lr ({self.settings.arch_lr:g}), or clip lower.{kept}"
        )

    def _save_if_due(self) -> None:
        if self.file is not None and time.monotonic() - self.saved > self.method.checkpoint_s:
            self.save()

    def save(self) -> None:
        """Write the checkpoint, unless a loss is not a number: what is on disk stays usable."""
        if self.file is None or not np.isfinite(float(self.at.train)):
            return
        tensors = {f"net.{name}": tensor for name, tensor in self.supernet.state_dict().items()}
        tensors |= {f"architecture.{place}": parameter for place, parameter in enumerate(self.parameters)}
        tensors |= optimizer_tensors(self.steps.optimizer, "sgd") | optimizer_tensors(self.adam, "adam")
        position = replace(
            self.at,
            train=float(self.at.train),
            valid=float(self.at.valid),
            multipliers=self.limits.multipliers | {f"now {name}": now for name, now in self.limits.now.items()},
            seconds=self.at.seconds + time.monotonic() - self.started,
        )
        state.write(self.file, self.identity, tensors, position, self.epochs, self.remarks)
        self.saved = time.monotonic()

    @torch.no_grad()
    def resume(self) -> None:
        """Go on from the checkpoint, if there is one. Raises `RunError` if it is damaged or of another search."""
        if self.file is None or not self.file.is_file():
            return
        tensors, self.at, self.epochs, self.remarks = state.read(self.file, self.identity)
        self.supernet.load_state_dict(dict(_below("net.", tensors)))
        for place, parameter in enumerate(self.parameters):
            parameter.copy_(tensors[f"architecture.{place}"])
        load_optimizer(self.steps.optimizer, "sgd", tensors)
        load_optimizer(self.adam, "adam", tensors)
        self.limits.multipliers = {name: self.at.multipliers[name] for name in self.limits.limits}
        self.limits.now = {name: self.at.multipliers[f"now {name}"] for name in self.limits.limits}
        self.steps.parts = self.at.parts
        if (partial := self.method.stages[self.at.stage].partial) != self.supernet.partial:
            self.supernet.widen(partial)


def _started(sizes: list[int], seed: int) -> list[Tensor]:
    """1e-3 times a standard normal, as in the authors' code of DARTS and of those that came after it."""
    draws = generator(seed, "architecture")
    return [(1e-3 * torch.randn(size, generator=draws, dtype=torch.float64)).requires_grad_() for size in sizes]


def _adam(parameters: list[Tensor], settings: "Settings") -> torch.optim.Adam:
    decay = settings.arch_weight_decay
    return torch.optim.Adam(parameters, lr=settings.arch_lr, betas=settings.arch_betas, weight_decay=decay)


def _below(prefix: str, tensors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    return ((name.removeprefix(prefix), tensor) for name, tensor in tensors.items() if name.startswith(prefix))


def _masked(weights: Tensor, kept: list[int]) -> Tensor:
    if len(kept) == len(weights):
        return weights
    mask = torch.zeros_like(weights)
    mask[kept] = 1.0
    return weights * mask / (weights * mask).sum()
