"""After the search: choice, final trainings, files, the sealed test, result and report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf

from nasturtium.classical import Classical
from nasturtium.errors import RunError
from nasturtium.evaluators import restore
from nasturtium.protocol import SEEDS, Contender, OpenedTest, Tested
from nasturtium.protocol.plan import MORE_ROWS
from nasturtium.workflows.baselines import full_s
from nasturtium.workflows.choosing import Choice, choose
from nasturtium.workflows.searching import Searched
from nasturtium.workflows.session import Session
from nasturtium.workflows.shipping import Shipped, retrain, ship

OPENED_FOR = "scores of the choice and of what it is compared with"


@dataclass(frozen=True)
class Ending:
    """What followed the search. tested: by contender's name. openings: why the test set was opened, each time, earlier
    parts of a resumed run included."""

    choice: Choice
    shipped: Shipped
    tested: Mapping[str, Tested]
    openings: tuple[str, ...]


def finish(session: Session, baselines: Sequence[Contender], searched: Searched) -> Ending:
    """Choose, retrain, export, re-measure; then open the test set, once."""
    choice = choose(session, baselines, searched.history, searched.control)
    first, others = _two_sides(choice)
    session.progress.phase("Final training", f"{', '.join(one.name for one in first)}: {SEEDS} seeds each, on all rows")
    checkpoints = _retrained(session, first)
    session.executor.close()  # its workers' memory is wanted for the export; new ones start if they are needed
    session.progress.phase("Export", "files, checks, limits measured again")
    shipped = ship(session, first, checkpoints)
    if shipped is None and others:
        checkpoints |= _retrained(session, others)
        shipped = ship(session, others, checkpoints)
    if shipped is None:
        raise RunError(
            f"No finalist could be exported within the limits. {' '.join(session.notes[-2:])} Raise the limit that is "
            "named, or mend what cannot be exported."
        )
    session.progress.phase("Test", f"{len(session.data.sealed)} sealed rows are opened, once")
    tested = _test(session, choice.order, checkpoints)
    return Ending(choice, shipped, tested, session.folder.openings)


def _two_sides(choice: Choice) -> tuple[list[Contender], list[Contender]]:
    """The choice with the best of the other side, and those who step in if both break a limit in their files."""
    order = list(choice.order)
    names = {one.name for one in (choice.found, choice.baseline) if one is not None}
    sides = [one for one in order if one.name in names or one is order[0]]
    return sides, [one for one in order if one not in sides]


def _retrained(session: Session, contenders: Sequence[Contender]) -> dict[str, list[str]]:
    """Checkpoints of the final trainings, the longest first."""
    needs = {one.name: _full_s(one) for one in contenders}
    for one in contenders:
        if one.begun:
            session.remark(
                f"The clock ended the trainings of {one.name} in the comparison after {one.begun_epochs:.1f} of "
                f"{one.epochs} epochs; its final trainings go on from them."
            )
    deadline = None
    if not isinf(session.clock.left_s):
        deadline = session.deadline(session.plan.last_s(session.clock.left_s, SEEDS * list(needs.values())))
    return retrain(session, sorted(contenders, key=lambda one: -needs[one.name]), deadline)


def _full_s(one: Contender) -> float:
    """Seconds of a final training in full."""
    if isinstance(one.subject, Classical):
        return one.seconds
    return MORE_ROWS * full_s(one.seconds, one.measures, one.epochs) * (1 - one.begun_epochs / one.epochs)


def _test(session: Session, contenders: Sequence[Contender], checkpoints: Mapping[str, list[str]]) -> dict[str, Tested]:
    """Open the test set and score everyone who was retrained. What opened it is on disk before it opens."""
    earlier = len(session.folder.openings)
    reason = f"again, in a resumed run: {OPENED_FOR}" if earlier else OPENED_FOR
    if earlier:
        session.remark("The test set had been opened before the run was stopped and resumed: it is opened again.")
    session.folder.record_opening(reason)
    opened = OpenedTest(session.data.sealed, session.task, reason)
    return {
        one.name: opened.score([restore(one.subject, session.task, path) for path in checkpoints[one.name]])
        for one in contenders
        if checkpoints.get(one.name)
    }
