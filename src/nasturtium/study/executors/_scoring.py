"""One job, scored so that nothing but an outcome comes out: shared by the executors."""

import dataclasses
import math
import time

from nasturtium.roles import Job, OpenEvaluator, Outcome, Report


def describe(error: BaseException) -> str:
    """The reason of a failure in a few words: the first line of the message, cut at 200 characters."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "out of memory"
    text = str(error).strip()
    first = text.splitlines()[0] if text else ""
    return f"{type(error).__name__}: {first}"[:200] if first else type(error).__name__


def score(evaluate: OpenEvaluator, job: Job, report: Report) -> Outcome:
    """Run `evaluate`, turn what it raises into a failed outcome, and make the numbers plain floats.

    Plain floats, because a tensor or NumPy scalar in a measure would be pickled into the main process and the journal.
    """
    started = time.perf_counter()
    try:
        outcome = evaluate(job, report)
        if not isinstance(outcome, Outcome):
            raise TypeError(f"the evaluator returned {type(outcome).__name__}, not an Outcome")
        measures = {str(name): float(value) for name, value in outcome.measures.items()}
        curve = tuple(float(value) for value in outcome.curve)
    except Exception as error:
        return Outcome(failure=describe(error), seconds=time.perf_counter() - started)
    seconds = outcome.seconds if outcome.seconds > 0 and math.isfinite(outcome.seconds) else 0.0
    return dataclasses.replace(
        outcome, measures=measures, curve=curve, seconds=seconds or time.perf_counter() - started
    )
