"""The scenario suite: needs as data, with properties that their plans must have."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasturtium.advisor import Requirements, given
from nasturtium.workflows.needs import plain

FOLDER = Path(__file__).parent / "scenarios"


@dataclass(frozen=True)
class Scenario:
    name: str
    need: dict[str, Any]
    expect: dict[str, Any] = field(default_factory=dict)

    @property
    def requirements(self) -> Requirements:
        return given(plain(self.need), "in the scenario")


SCENARIOS = [
    Scenario(**entry)
    for path in sorted(FOLDER.glob("*.toml"))
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["scenario"]
]
