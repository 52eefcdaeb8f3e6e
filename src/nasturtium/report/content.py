"""What a report is made of: plain data, so that this room needs no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class ReportContent:
    """Everything on the page. Parts that are empty are left out of it.

    data: name of the data set. metric, direction: of the scores.
    result: the content of result.json (`RunResult` names every field).
    trials: in order, each with "number", "origin" ("random" for the control), "state" ("complete", "stopped",
        "failed"), "score", "params", "macs", "seconds", "failure"; unknown values None. More keys are costs to plot.
    expected_random: expected best score of random search after 1, 2 … trials.
    second: the cost or objective that the front is drawn against.
    profile: `data.Profile.to_json()` as a dictionary; profile_lines: the same for people; space_lines: of the space.
    drawing: the winner as nested parts: {"name", "text", "shape", "params", "parts"}, the last three optional.
    warnings: sentences. command: what was typed. surroundings: name to value, such as versions and the processor.
    one_shot: of a search by weight sharing, the content of one_shot.json: "method", "passes" over the rows, "mixtures"
        ("name", "options"), "epochs" ("weights" of each mixture, "entropy", "skips", "eigenvalue" …), "remarks",
        "derived" decisions, and once it was made the "audit" ("sentence", "correlation" or None, "points").
    """

    data: str
    metric: str
    direction: Literal["maximize", "minimize"]
    result: Mapping[str, Any]
    trials: Sequence[Mapping[str, Any]] = ()
    expected_random: Sequence[float] = ()
    second: str = "params"
    profile: Mapping[str, Any] = field(default_factory=dict)
    profile_lines: Sequence[str] = ()
    space_lines: Sequence[str] = ()
    drawing: Mapping[str, Any] | None = None
    warnings: Sequence[str] = ()
    command: str = ""
    surroundings: Mapping[str, str] = field(default_factory=dict)
    one_shot: Mapping[str, Any] | None = None
