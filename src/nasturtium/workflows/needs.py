"""What is known of a need: flags, a file, answers, and the data itself."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasturtium.advisor import Fact, Requirements, given
from nasturtium.data import Profile
from nasturtium.errors import UserError
from nasturtium.task import Task
from nasturtium.workflows.options import parse_duration


@dataclass(frozen=True)
class NeedOptions:
    """flags: fields of `Requirements` as they were written, None where they were not. requirements, answers: files."""

    flags: Mapping[str, Any] = field(default_factory=dict)
    requirements: str | None = None
    answers: str | None = None


def gather(options: NeedOptions) -> Requirements:
    """Flags before answers before the file of requirements. Raises `UserError`."""
    flags = {name: value for name, value in options.flags.items() if value is not None}
    need = given(plain(flags), "on the command line")
    for path, what in ((options.answers, "answers"), (options.requirements, "requirements")):
        if path is not None:
            need = need.over(given(plain(read_needs(path)), f"in {what} {Path(path).name}"))
    return need


def read_needs(path: str) -> dict[str, Any]:
    """Fields of a .toml, .yaml or .json file. Raises `UserError` for a file that cannot be read as one."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path!r} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    try:
        content = _parsed(text, file.suffix.lower())
    except ValueError as error:
        raise UserError(f"{path!r} cannot be read: {' '.join(str(error).split())}.") from error
    if not isinstance(content, dict):
        raise UserError(f'{path!r} must hold fields and values, such as: task = "classification".')
    return content


def _parsed(text: str, suffix: str) -> Any:
    if suffix == ".json":
        return json.loads(text)
    if suffix in (".yaml", ".yml"):
        import yaml

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from error
    return tomllib.loads(text)


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Durations in seconds, and a device that is described in a table in one text."""
    found = dict(fields)
    for name in ("budget", "budget_s", "budget-s"):
        if isinstance(found.get(name), str):
            found[name] = parse_duration(found[name])
    device = found.get("device")
    if isinstance(device, dict):
        figures = ",".join(f"{name}={amount}" for name, amount in device.items() if name != "kind")
        found["device"] = f"{device.get('kind', '')}:{figures}"
    return found


def measured(found: Profile, task: Task) -> Requirements:
    """What the data says by itself."""
    where = f"in {found.name}"
    facts: dict[str, Any] = {
        "task": task.kind,
        "modality": task.modality if task.modality != "vector" else "table",
        "rows": found.rows,
        "input": task.input.tensor_shape,
        "outputs": task.outputs,
    }
    counts = [count for count in found.balance.values() if count]
    if task.kind == "classification" and counts:
        facts["imbalance"] = max(counts) / min(counts)
    if found.conflicts:
        facts["noise"] = min(0.99, found.conflicts / found.rows)
    return Requirements(**{name: Fact(value, "measured", where) for name, value in facts.items()})


def differences(said: Requirements, seen: Requirements) -> tuple[str, ...]:
    """What was said of the data that the data contradicts, in words; the data counts."""
    from nasturtium.advisor import BY_NAME

    return tuple(
        f"You said {name} {BY_NAME[name].show(said.get(name))}, and the data says {BY_NAME[name].show(fact.value)}: "
        "the data counts."
        for name, fact in seen.items()
        if name not in ("noise", "imbalance") and said.known(name) and said.get(name) != fact.value
    )
