"""What a search optimises: the metric first, then the costs that the user added."""

from nasturtium.errors import UserError
from nasturtium.strategies import SEVERAL
from nasturtium.supernet.registry import one_shot_name
from nasturtium.task import Task
from nasturtium.training import METRICS
from nasturtium.trial import Objective
from nasturtium.workflows.options import SearchOptions

OBJECTIVES = ("params", "macs", "activations", "memory", "latency")
COST_NAMES = {"latency": "latency_ms"}


def objectives_of(options: SearchOptions, task: Task) -> tuple[Objective, ...]:
    """Each once. A metric among the objectives is the run's own, see `check_objectives`."""
    costs = dict.fromkeys(COST_NAMES.get(name, name) for name in options.objectives if name != task.metric)
    return (Objective(task.metric, METRICS[task.metric].direction), *(Objective(name, "minimize") for name in costs))


def check_objectives(options: SearchOptions, task: Task) -> None:
    """A metric among the objectives can only be the run's own, which is one in any case: no other is measured.

    What a one-shot search derives is ranked by the metric alone.
    """
    for name in options.objectives:
        if name not in METRICS and one_shot_name(options.strategy) is not None:
            raise UserError(
                f"The strategy {options.strategy!r} derives by {task.metric} alone, and there is --objective {name}. "
                f"Give a limit instead (--max-params), or use a strategy for several: {', '.join(SEVERAL)}."
            )
        if name in METRICS and name != task.metric:
            raise UserError(
                f"--objective {name} is a metric, and this run's is {task.metric}. Write --metric {name} to optimise "
                f"it, or give a cost: {', '.join(OBJECTIVES)}."
            )
