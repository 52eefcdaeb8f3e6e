"""The course of a training by paths: phases, a schedule that fits the deadline, checkpoints, resumption.

The draws of step n, the order of the rows in pass n and what a dropout does in step n each follow from the seed and n
alone. So a checkpoint holds weights, moments and counters, and a resumed training goes on bit for bit as one that was
never interrupted, as long as no deadline binds.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Shaped
from torch import Tensor, nn

from nasturtium.errors import RunError
from nasturtium.space import Architecture
from nasturtium.supernet.learner import Diverged, Learner
from nasturtium.supernet.one_shot import Pulse
from nasturtium.supernet.paths import Draw, Lesson, PathNet, labels, soft_loss
from nasturtium.supernet.recalibration import recalibrate
from nasturtium.task import Task
from nasturtium.training import (
    Batches,
    Pace,
    Recipe,
    build_augmenter,
    build_loss,
    generator,
    load_tensors,
    rate,
    save_tensors,
)

CHECKPOINT_S = 60.0
"""Seconds between checkpoints, unless the caller says otherwise; one is written at the end of each phase too."""

Ending = Literal["finished", "deadline", "report"]


class Beside(Protocol):
    """What is trained beside the weights (a controller), and saved with them."""

    def after_pass(self, number: int, enough: Callable[[], bool]) -> None:
        """Called after each pass over the training rows. enough: is the time up, or was the course stopped?"""
        ...

    def tensors(self) -> dict[str, Tensor]: ...

    def load(self, tensors: dict[str, Tensor]) -> None: ...


@dataclass(frozen=True)
class Phase:
    """A stretch of the course.

    share: of the steps, relative to those of the other phases. rate: factor of the recipe's learning rate, which is
    annealed anew in every phase. effort: what a step costs, relative to those of other phases: for deadlines.
    graduate: the architecture that is kept as it is at the end, to be the teacher of later phases. before: what is done
    to the shared weights when the phase begins.
    """

    name: str
    draw: Draw
    lesson: Lesson = labels
    share: float = 1.0
    rate: float = 1.0
    effort: float = 1.0
    graduate: Architecture | None = None
    before: Callable[[PathNet], object] | None = None


@dataclass(frozen=True)
class Course:
    """Phases one after the other; `recipe.epochs` passes in all. method: for messages and checkpoints."""

    method: str
    phases: tuple[Phase, ...]
    recipe: Recipe
    seed: int
    beside: Beside | None = None
    every_s: float = CHECKPOINT_S


@dataclass
class Progress:
    """How far a course is.

    step: in this phase; total: in all. rated: progress of the schedule in this phase. parts: a batch is run in so many.
    losses: mean of each pass. summed, counted: of the pass that is under way. seconds: spent, resumed parts included.
    shortened: by a deadline. stopped: by the report. share: of the schedule. passes: over the rows, the last in part.
    """

    phase: int = 0
    step: int = 0
    total: int = 0
    rated: float = 0.0
    parts: int = 1
    losses: list[float] = field(default_factory=list)
    summed: float = 0.0
    counted: int = 0
    seconds: float = 0.0
    shortened: bool = False
    stopped: bool = False
    share: float = 0.0
    passes: float = 0.0

    @property
    def ended(self) -> Ending:
        return "report" if self.stopped else "deadline" if self.shortened else "finished"


Report = Callable[[Progress], bool]
"""Called after each pass, and now and then within a long one; True ends the course."""


def follow(
    course: Course,
    net: PathNet,
    module: nn.Module,
    inputs: Shaped[Tensor, "rows ..."],
    targets: Shaped[Tensor, "rows ..."],
    task: Task,
    *,
    deadline_s: float | None = None,
    report: Report | None = None,
    checkpoint: Path | None = None,
) -> Progress:
    """Train the weights of `net`, which is also `module`, in place.

    inputs, targets: training rows on the device of the weights. checkpoint: a file; if it exists the course goes on
    from it. Raises `Diverged` at the first loss that is no number (the last checkpoint is kept), and `RunError` for a
    checkpoint of another course.
    """
    walk = _Walk(course, net, module, inputs, targets, task, checkpoint)
    walk.resume()
    try:
        walk.walk(deadline_s, report)
    except Diverged as error:
        kept = f" The last checkpoint, {checkpoint}, is kept." if checkpoint and checkpoint.is_file() else ""
        raise Diverged(f"{error}{kept}") from error
    return walk.progress


class _Walk:
    """One run of a course."""

    def __init__(
        self,
        course: Course,
        net: PathNet,
        module: nn.Module,
        inputs: Tensor,
        targets: Tensor,
        task: Task,
        checkpoint: Path | None,
    ) -> None:
        self.course, self.net, self.module, self.task = course, net, module, task
        self.inputs, self.targets, self.file = inputs, targets, checkpoint
        self.progress = Progress()
        self.teacher: nn.Module | None = None
        self._augmenter = build_augmenter(course.recipe.augment, task.input, inputs)
        self.per_pass = self._batches(0).steps
        self.steps = _shared_out(course, self.per_pass * course.recipe.epochs)
        self._loaded: dict[str, Tensor] = {}
        self._saved_at = time.monotonic()
        self._pulse = Pulse()

    def walk(self, deadline_s: float | None, report: Report | None) -> None:
        end = None if deadline_s is None else time.monotonic() + deadline_s
        progress = self.progress
        while progress.phase < len(self.course.phases) and not progress.stopped:
            prepare = self.course.phases[progress.phase].before
            if prepare is not None and progress.step == 0:  # checkpoints between phases are from before this
                prepare(self.net)
            learner = self._learner()
            left_s = None if end is None else max(0.0, end - time.monotonic())
            self._phase(learner, None if left_s is None else left_s * self._part(), report)
            learner.average.swap()
            if not progress.stopped:
                self._graduate()
                progress.phase, progress.step, progress.rated = progress.phase + 1, 0, 0.0
                self.save(None)

    def _phase(self, learner: Learner, deadline_s: float | None, report: Report | None) -> None:
        progress, phase = self.progress, self.course.phases[self.progress.phase]
        before, end = progress.rated, None if deadline_s is None else time.monotonic() + deadline_s
        pace = Pace(self.steps[progress.phase] - progress.step, deadline_s)
        stream = self._stream()
        while not pace.done:
            inputs, targets = next(stream)
            started = time.monotonic()
            learner.parts = progress.parts
            lr = self.course.recipe.lr * phase.rate * rate(self.course.recipe, progress.rated)
            rng = np.random.default_rng([self.course.seed, 1, progress.total])
            name = f"step {progress.total}"
            loss = learner.step(name, phase.draw(rng), phase.lesson, inputs, targets, lr, self.teacher)
            pace.advance()
            progress.parts = learner.parts
            progress.rated = before + (1 - before) * pace.progress
            done = sum(self.steps[: progress.phase]) + progress.rated * self.steps[progress.phase]
            progress.share = done / sum(self.steps)
            self._count(loss)
            if progress.total % self.per_pass == 0:
                stop = self._pass_ended(report, end)
            else:
                stop = report is not None and self._pulse.due() and report(progress)
            progress.seconds += time.monotonic() - started
            if stop:
                progress.stopped = True
                break
            if time.monotonic() - self._saved_at > self.course.every_s:
                self.save(learner)
        progress.shortened = progress.shortened or (pace.step < pace.steps and not progress.stopped)

    def _count(self, loss: float) -> None:
        progress = self.progress
        progress.step, progress.total = progress.step + 1, progress.total + 1
        progress.passes = progress.total / self.per_pass
        progress.summed, progress.counted = progress.summed + loss, progress.counted + 1

    def _pass_ended(self, report: Report | None, end: float | None) -> bool:
        """Was the course stopped? end: of the phase, on the monotonic clock."""
        progress, stopped = self.progress, False

        def enough() -> bool:
            nonlocal stopped
            stopped = stopped or (report is not None and self._pulse.due() and report(progress))
            return stopped or (end is not None and time.monotonic() > end)

        if self.course.beside is not None:
            self.course.beside.after_pass(len(progress.losses), enough)
        progress.losses.append(progress.summed / progress.counted)
        progress.summed, progress.counted = 0.0, 0
        return stopped or (report is not None and report(progress))

    def _learner(self) -> Learner:
        loss, soft = build_loss(self.task.kind, self.course.recipe), soft_loss(self.task.kind)
        learner = Learner(self.net, self.module, self.course.recipe, loss, soft, self.course.seed)
        learner.load(self._loaded, self.progress.step)
        self._loaded = {}
        return learner

    def _part(self) -> float:
        """Of the time left, what this phase may take."""
        costs = [steps * phase.effort for steps, phase in zip(self.steps, self.course.phases, strict=True)]
        here = self.progress.phase
        costs[here] *= 1 - self.progress.step / max(1, self.steps[here])
        return costs[here] / max(1e-9, sum(costs[here:]))

    def _graduate(self) -> None:
        chosen = self.course.phases[self.progress.phase].graduate
        if chosen is not None:
            self.teacher = self._extracted(chosen)
            recalibrate(self.teacher, self.inputs)

    def _extracted(self, architecture: Architecture) -> nn.Module:
        network = self.net.extract(architecture).to(self.inputs.device)
        return network.requires_grad_(False).eval()

    def _batches(self, number: int) -> Batches:
        seed = self.course.seed
        order, augmentation = generator(seed, f"order {number}"), generator(seed, f"augment {number}")
        size = self.course.recipe.batch_size
        return Batches(self.inputs, self.targets, size, self._augmenter, order, augmentation)

    def _stream(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches from the present step on, without an end."""
        number, skipped = divmod(self.progress.total, self.per_pass)
        while True:
            yield from islice(self._batches(number).epoch(), skipped, None)
            number, skipped = number + 1, 0

    def save(self, learner: Learner | None) -> None:
        """learner: of the phase under way; None between phases, whose moments are of no more use."""
        self._saved_at = time.monotonic()
        if self.file is None:
            return
        tensors = {f"weights.{name}": tensor for name, tensor in self.module.state_dict().items()}
        tensors |= learner.tensors() if learner is not None else {}
        if self.teacher is not None:
            tensors |= {f"teacher.{name}": tensor for name, tensor in self.teacher.state_dict().items()}
        if self.course.beside is not None:
            tensors |= {f"beside.{name}": tensor for name, tensor in self.course.beside.tensors().items()}
        save_tensors(tensors, self.file, {**self._identity(), "progress": asdict(self.progress)})

    def resume(self) -> None:
        if self.file is None or not self.file.is_file():
            return
        tensors, facts = load_tensors(self.file)
        for name, mine in self._identity().items():
            if facts.get(name) != mine:
                raise RunError(
                    f"The checkpoint {self.file} is of another training: its {name} is {facts.get(name)!r}, this one's "
                    f"{mine!r}. Give another file, or delete it to begin anew."
                )
        self.progress = Progress(**facts["progress"])
        self.module.load_state_dict(_below(tensors, "weights."))
        taught = [phase.graduate for phase in self.course.phases[: self.progress.phase] if phase.graduate is not None]
        if taught:
            self.teacher = self._extracted(taught[-1])
            self.teacher.load_state_dict(_below(tensors, "teacher."))
        if self.course.beside is not None:
            self.course.beside.load(_below(tensors, "beside."))
        self._loaded = {name: tensor for name, tensor in tensors.items() if name.startswith(("average.", "optimizer."))}

    def _identity(self) -> dict[str, object]:
        """What a checkpoint must agree on."""
        space = self.net.space
        return {
            "method": self.course.method,
            "seed": self.course.seed,
            "space": f"{space.name}, {len(space.decisions)} decisions",
            "phases": [
                f"{phase.name}: {steps} steps" for phase, steps in zip(self.course.phases, self.steps, strict=True)
            ],
            "recipe": self.course.recipe.to_json(),
        }


def _shared_out(course: Course, total: int) -> list[int]:
    """Steps of each phase: whole numbers that add up to `total`, each at least 1."""
    ends = np.cumsum([phase.share for phase in course.phases])
    edges = [0, *np.round(total * ends / ends[-1]).astype(int).tolist()]
    return [max(1, high - low) for low, high in pairwise(edges)]


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
