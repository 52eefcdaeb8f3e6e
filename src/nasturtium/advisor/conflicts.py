"""Requirements that contradict one another: named with their numbers, and with the smallest change that mends them."""

from collections.abc import Iterator

from nasturtium.advisor.bounds import FLOAT
from nasturtium.advisor.plan import Conflict
from nasturtium.advisor.situation import UNEVEN, Situation
from nasturtium.classical._spec import feature_count
from nasturtium.hardware.candidates import shown_up
from nasturtium.hardware.limits import shown

FEWEST_OF_A_CLASS = 5
BOUNDED = ("params", "macs", "memory", "size")


def conflicts(situation: Situation) -> tuple[Conflict, ...]:
    """Fatal ones first."""
    found = [
        *_least_size(situation),
        *_input_memory(situation),
        *_nothing_fits(situation),
        *_few_examples(situation),
        *_score_out_of_reach(situation),
        *_no_network_to_follow(situation),
    ]
    return tuple(sorted(found, key=lambda one: not one.fatal))


def _least_size(situation: Situation) -> Iterator[Conflict]:
    """A least number of parameters against the most, the file, the memory of weights and the latency."""
    least = situation.bounds.least_params
    if not least:
        return
    target, need = situation.target, situation.need
    wanted = f"At least {shown('params', least)} parameters are wanted"
    most = need.get("max_params")
    if most is not None and least > most:
        yield Conflict(
            f"{wanted}, and at most {shown('params', most)}.",
            f"Lower the least to {shown('params', most)}, or raise --max-params to {shown('params', least)}.",
            fatal=True,
        )
    room = _bytes_for_weights(situation)
    if room is not None and least * target.width > room[0]:
        held = room[0] / target.width
        each = "one byte each (int8)" if target.width == 1 else f"{target.width} bytes each"
        yield Conflict(
            f"{wanted}, which are {shown('size', least * target.width)} at {each}; {room[1]}.",
            f"Want at most {shown('params', held)} parameters, or take a device with "
            f"{shown_up('size', least * target.width)} for the weights.",
            fatal=True,
        )
    limit = situation.bounds.limits.macs
    if limit is not None and least > limit and situation.modality in ("table", "image", "audio", "sequence"):
        yield Conflict(
            f"{wanted}, each used once or more in a prediction, and the limits leave {shown('macs', limit)} MACs.",
            f"Want at most {shown('params', limit)} parameters, or allow {shown('macs', least)} MACs.",
            fatal=True,
        )


def _bytes_for_weights(situation: Situation) -> tuple[float, str] | None:
    """What holds the weights, in bytes as the device has them, and in words."""
    need, target = situation.need, situation.target
    if need.get("max_size") is not None:
        most = need.get("max_size")
        if target.flash is None or most * target.width / FLOAT <= target.flash:
            return most * target.width / FLOAT, f"the file may have {shown('size', most)} in float32"
    if target.flash is not None:
        return target.flash, f"{target.title} has {shown('size', target.flash)} of flash for them"
    if target.kind == "microcontroller" and target.memory is not None:
        return target.memory, f"{target.title} has {shown('memory', target.memory)} of memory for them"
    return None


def _input_memory(situation: Situation) -> Iterator[Conflict]:
    """One example alone is more than the memory."""
    limit = situation.bounds.limits.memory
    shape = situation.need.get("input")
    numbers = 1
    for size in shape:
        numbers *= size
    if limit is None or situation.modality in ("text", "graph") or numbers * FLOAT <= limit:
        return
    width = situation.target.width
    text, factor = "x".join(map(str, shape)), (limit / (numbers * FLOAT)) ** 0.5
    smaller = (shape[0], *(max(1, int(size * factor)) for size in shape[1:])) if len(shape) > 1 else shape
    mend = f"Bring it down to {'x'.join(map(str, smaller))} or less, or" if len(shape) > 1 else "Leave columns out, or"
    yield Conflict(
        f"One example of {text} takes {shown('memory', numbers * width)}, and the memory for everything is "
        f"{shown('memory', limit * width / FLOAT)}.",
        f"{mend} allow {shown_up('memory', numbers * width)} of memory and more.",
        fatal=True,
    )


def _nothing_fits(situation: Situation) -> Iterator[Conflict]:
    """Not even the smallest known network is within the limits; a linear model may be."""
    if not situation.trains or not situation.smallest:
        return
    limits = situation.bounds.limits
    if any(not limits.check(one.costs) for one in situation.smallest):
        return
    least = {name: min(one.costs[name] for one in situation.smallest) for name in BOUNDED}
    broken = [(name, limit) for name, limit in limits.items() if name in BOUNDED and least[name] > limit]
    if not broken:  # each alone can be met, but not all together
        nearest = min(situation.smallest, key=lambda one: len(limits.check(one.costs)))
        broken = [(one.name, one.limit) for one in limits.check(nearest.costs)]
        least = dict(nearest.costs)
    numbers = feature_count(situation.task) * situation.task.outputs
    linear_fits = not limits.check({"params": numbers, "macs": numbers, "size": FLOAT * numbers})
    wanted = ", ".join(f"{shown(name, limit)} {name}" for name, limit in broken)
    needed = ", ".join(f"{shown_up(name, least[name])} {name}" for name, _ in broken)
    left = (
        f"A linear model ({shown('params', numbers)} parameters) fits."
        if linear_fits
        else f"Nor does a linear model, with {shown('params', numbers)} parameters."
    )
    yield Conflict(
        f"No known network is within {wanted}: the smallest needs {needed}. {left}",
        f"Allow {needed}, or bring the input down to fewer numbers.",
        fatal=not linear_fits,
    )


def _few_examples(situation: Situation) -> Iterator[Conflict]:
    need = situation.need
    if situation.kind != "classification" or not (need.known("rows") or need.known("outputs")):
        return
    classes, imbalance = int(need.get("outputs")), float(need.get("imbalance"))
    rarest = situation.rows / (classes - 1 + imbalance)
    if rarest >= FEWEST_OF_A_CLASS:
        return
    wanted = FEWEST_OF_A_CLASS * (classes - 1 + imbalance)
    skew = f", the commonest {imbalance:g} times the rarest" if imbalance >= UNEVEN else ""
    yield Conflict(
        f"{situation.rows:,} examples of {classes:,} classes{skew} leave about {rarest:.1f} of the rarest class: too "
        "few to train, validate and test on.",
        f"Collect {shown_up('params', wanted)} examples or more, or put rare classes together.",
    )


def _score_out_of_reach(situation: Situation) -> Iterator[Conflict]:
    wanted, noise = situation.need.get("min_score"), float(situation.need.get("noise"))
    if wanted is None or situation.kind != "classification" or wanted <= 1 - noise:
        return
    yield Conflict(
        f"A score of {wanted:g} is wanted, and with {noise:.0%} wrong labels no more than {1 - noise:.2f} can be "
        "measured.",
        f"Want {1 - noise:.2f} at most, or have the test labels checked.",
    )


def _no_network_to_follow(situation: Situation) -> Iterator[Conflict]:
    if not situation.need.get("interpretable") or situation.trains:
        return
    yield Conflict(
        f"Each decision is to be followed by a person, and every known model for {situation.kind} on "
        f"{situation.modality} data is one that nobody can follow.",
        "Ask for explanations after the fact instead, and check them; or change the task to a classification.",
    )
