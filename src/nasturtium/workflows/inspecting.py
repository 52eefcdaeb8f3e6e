"""Looking at a space before searching it."""

from collections.abc import Mapping

from nasturtium.hardware import Limits, SpaceCheck, check_space
from nasturtium.space import Space
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.preparation import prepare_data
from nasturtium.workflows.spaces import find_space


def show_space(name: str, source: str, target: str | None, limits: Mapping[str, str]) -> list[str]:
    """The decisions of a space, made for the task of `source`."""
    return _made(name, source, target, Limits.parse(**limits)).lines()


def check_named_space(
    name: str, source: str, target: str | None, limits: Mapping[str, str], samples: int, seed: int
) -> SpaceCheck:
    """Size, bounds, costs of samples, and whether the limits can be met."""
    parsed = Limits.parse(**limits)
    return check_space(_made(name, source, target, parsed), parsed, samples, seed)


def _made(name: str, source: str, target: str | None, limits: Limits) -> Space:
    task = prepare_data(SearchOptions(source, target=target)).task
    return find_space(name, task, limits)[0]
