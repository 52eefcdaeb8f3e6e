"""`model.py`: the model as one readable file that needs torch and nothing else."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasturtium.blocks import source
from nasturtium.export import _pieces
from nasturtium.export._definitions import STANDARD, Definitions, Import, definitions
from nasturtium.export.deployable import Deployable, targets
from nasturtium.export.words import input_words, output_words
from nasturtium.task import Task

WIDTH = 120
MISSING = ("", "?", "-", "--", ".", "<na>", "n/a", "na", "nan", "nat", "none", "null", "missing", "unknown")
RESERVED = (
    "CATEGORIES", "CLASSES", "INPUT", "LABELS", "MISSING", "NUMBERS", "Path", "Tensor", "as_input", "code", "json",
    "load", "network", "nn", "number", "predict", "probabilities", "read_safetensors", "torch",
)  # fmt: skip


@dataclass(frozen=True)
class Script:
    """text: of `model.py`; None if the model cannot stand alone, for the reasons in `missing`."""

    text: str | None
    missing: tuple[str, ...] = ()


def write_script(deployable: Deployable, encoding: Mapping[str, Any], summary: str) -> Script:
    """The text of `model.py`.

    encoding: the part "input" of the preprocessing (columns and vocabularies of a table). summary: the first sentence.
    """
    parts = definitions(targets(deployable.call), RESERVED)
    if parts.missing:
        return Script(None, tuple(dict.fromkeys(parts.missing)))
    head = (_docstring(deployable.task, encoding, summary), _imports(parts), _constants(deployable.task, encoding))
    body = [
        "\n\n".join(head),
        f'def network() -> nn.Module:\n    """The architecture, untrained."""\n'
        f"    return {source(deployable.call).expression}",
        *(text.strip() for text in _spaced(parts.texts)),
        _pieces.LOAD.strip(),
        (_pieces.AS_TABLE if _columns(encoding) else _pieces.AS_INPUT).strip(),
        _pieces.predicting(deployable.task).strip(),
    ]
    return Script("\n\n\n".join(part for part in body if part) + "\n")


def _spaced(texts: Sequence[str]) -> list[str]:
    """Constants in a row stay together; functions and classes stand apart."""
    blocks: list[str] = []
    for text in texts:
        if blocks and _short(text) and _short(blocks[-1]):
            blocks[-1] += "\n" + text
        else:
            blocks.append(text)
    return blocks


def _short(text: str) -> bool:
    return not text.lstrip("#").startswith(("def ", "class ", "@", "async ")) and "\ndef " not in text


def _docstring(task: Task, encoding: Mapping[str, Any], summary: str) -> str:
    call = "predict([{...}, ...], model)" if _columns(encoding) else "predict(rows, model)"
    width = len(call)
    lines = [
        f'"""{_safe(summary)}',
        "",
        "Written by Nasturtium. It needs PyTorch and nothing else, and the weights beside it:",
        "",
        "    from model import load, predict",
        "",
        f"    {'model = load()':{width}}  # a torch.nn.Module, ready for use",
        f"    {call:{width}}  # {_gives(task)}",
        "",
        *(
            _safe(line)
            for line in (*_wrapped("Input ", input_words(task, encoding)), *_wrapped("Output", output_words(task)))
        ),
        '"""',
    ]
    return "\n".join(lines)


def _gives(task: Task) -> str:
    given = {"classification": "a class name for each row", "multi-label": "a list of labels for each row"}
    return given.get(task.kind, "a value for each row" if task.outputs == 1 else "a list of values for each row")


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"{head}  ", subsequent_indent=" " * (len(head) + 2))


def _safe(text: str) -> str:
    """Names that come from data must not end the docstring."""
    return text.replace("\\", "\\\\").replace('"""', "'''")


def _imports(parts: Definitions) -> str:
    found = {item.name: item for item in parts.imports.values()}
    for name, path in STANDARD.items():
        module, _, member = path.rpartition(".")
        found.setdefault(name, Import(module, member, name) if module else Import(path, "", name))
    groups: list[list[str]] = [[], []]
    modules = sorted({item.module for item in found.values()}, key=str.lower)
    for plain in (True, False):
        for module in modules:
            items = sorted((i for i in found.values() if i.module == module and (not i.member) == plain), key=_by_name)
            groups[module.split(".")[0] == "torch"] += _lines(module, items)
    future = ["from __future__ import annotations"] if parts.lazy_annotations else []
    return "\n\n".join("\n".join(group) for group in (future, *groups) if group)


def _by_name(item: Import) -> tuple[bool, str]:
    return (not item.member.isupper(), not item.member[:1].isupper(), item.member)  # type: ignore[return-value]


def _lines(module: str, items: Sequence[Import]) -> list[str]:
    plain = [f"import {module}" + (f" as {i.name}" if i.name != module else "") for i in items if not i.member]
    named = [i.member + (f" as {i.name}" if i.name != i.member else "") for i in items if i.member]
    return plain + ([f"from {module} import {', '.join(named)}"] if named else [])


def _constants(task: Task, encoding: Mapping[str, Any]) -> str:
    lines = [f"INPUT = {task.input.tensor_shape!r}"]
    if _columns(encoding):
        lines.append(_literal("NUMBERS =", encoding["numbers"]))
        if encoding["categories"]:
            lines.append("CATEGORIES: dict[str, tuple[str, ...]] = {")
            for each in encoding["categories"]:
                lines.append(_literal(f"{_text(each['name'])}:", each["values"], "    ") + ",")
            lines.append("}")
        else:
            lines.append("CATEGORIES: dict[str, tuple[str, ...]] = {}")
        lines.append(_literal("MISSING =", MISSING))
    if task.kind == "classification":
        lines.append(_literal("CLASSES =", task.classes))
    elif task.kind == "multi-label":
        lines.append(_literal("LABELS =", task.classes))
    return "\n".join(lines)


def _literal(name: str, values: Sequence[str], indent: str = "") -> str:
    """`name` and a tuple of strings; on one line if it fits, else in filled lines. name: with its "=" or ":"."""
    line = f"{indent}{name} {_tuple(values)}"
    if len(line) < WIDTH:
        return line
    rows = [f"{indent}   "]
    for value in map(_text, values):
        if len(rows[-1]) + len(value) > WIDTH - 2 and rows[-1].strip():
            rows.append(f"{indent}   ")
        rows[-1] += f" {value},"
    return "\n".join([f"{indent}{name} (", *rows, f"{indent})"])


def _tuple(values: Sequence[str]) -> str:
    return f"({', '.join(map(_text, values))}{',' if len(values) == 1 else ''})"


def _text(value: str) -> str:
    """A string in double quotes, as JSON writes it: also a Python literal for every string without lone surrogates."""
    return json.dumps(value, ensure_ascii=False)


def _columns(encoding: Mapping[str, Any]) -> bool:
    return encoding.get("type") == "table"
