"""Source text of an expression: readable Python that needs torch only."""

import inspect
import json
import textwrap
from dataclasses import dataclass, field

from torch import nn

from nasturtium.blocks.expr import Call

WIDTH = 100


@dataclass
class Source:
    """expression: text that constructs the network. definitions: source of the classes it needs, by name."""

    expression: str
    definitions: dict[str, str] = field(default_factory=dict)


def source(call: Call, indent: int = 4) -> Source:
    """Text of a constructor call and the definitions that it needs beyond `torch.nn`."""
    result = Source("")
    result.expression = _text(call, indent, result.definitions)
    return result


def _text(value: object, indent: int, definitions: dict[str, str]) -> str:
    if not isinstance(value, Call):
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    name = _name(value.target, definitions)
    arguments = [_text(argument, indent + 4, definitions) for argument in value.args]
    arguments += [f"{key}={_text(argument, indent + 4, definitions)}" for key, argument in value.kwargs]
    line = f"{name}({', '.join(arguments)})"
    if len(line) + indent <= WIDTH and "\n" not in line and not _has_parts(value):
        return line
    pad = " " * (indent + 4)
    body = "".join(f"{pad}{argument},\n" for argument in arguments)
    return f"{name}(\n{body}{' ' * indent})"


def _has_parts(call: Call) -> bool:
    """Several modules inside: one line each reads better."""
    return sum(isinstance(value, Call) for value in (*call.args, *(v for _, v in call.kwargs))) > 1


def _name(target: object, definitions: dict[str, str]) -> str:
    name: str = target.__name__  # type: ignore[attr-defined]
    if getattr(nn, name, None) is target:
        return f"nn.{name}"
    if name not in definitions:
        definitions[name] = textwrap.dedent(inspect.getsource(target))  # type: ignore[arg-type]
    return name
