"""Data files of the package: TOML whose entries are checked against a frozen dataclass, with errors for people."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from nasturtium.errors import KnowledgeError, hint

NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


def parse_toml(file: Traversable) -> dict[str, Any]:
    """The content of a TOML file; raises `KnowledgeError` with the line of a mistake in it."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{file.name} is not valid TOML: {error}. Mend that line.") from error


@cache
def _adapter(record: type) -> TypeAdapter[Any]:
    """Made once for each kind of record: making one takes far longer than checking an entry with it."""
    return TypeAdapter(record)


def checked(record: type, entry: Mapping[str, Any], file: str, where: str) -> Any:
    """`entry` as a `record`; raises `KnowledgeError` naming the file, the entry, the first wrong field and the mend."""
    try:
        made: Any = _adapter(record).validate_json(json.dumps(entry, default=str), strict=True)
    except ValidationError as error:
        raise KnowledgeError(f"{file}, {where}: {_mend(error, record)}") from error
    for name, value in vars(made).items():
        if isinstance(value, str) and not value.strip():
            raise KnowledgeError(f"{file}, {where}: the field {name!r} is empty; say it, or leave the entry out.")
    if not NAME.fullmatch(made.name):
        raise KnowledgeError(
            f"{file}, {where}: the name {made.name!r} must be of lower-case letters, digits and hyphens."
        )
    return made


def _mend(error: ValidationError, record: type) -> str:
    """The first mistake in one sentence."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "missing":
            return f"the field {place!r} is missing; add it."
        case "unexpected_keyword_argument" | "extra_forbidden":
            known = [one.name for one in fields(_part(record, first["loc"][:-1]))]
            return f"unknown field {place!r}. {hint(first['loc'][-1], known)}"
        case "literal_error":
            allowed = first["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
            return f"the field {place!r} may not be {first['input']!r}. {hint(first['input'], allowed)}"
    return f"the field {place!r} is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}."


def _part(record: Any, path: Sequence[int | str]) -> Any:
    """The dataclass at a path inside a record: of a field, or of the members of its tuple."""
    for step in path:
        if isinstance(step, str):
            record = get_type_hints(record)[step]
            record = next((one for one in (record, *get_args(record)) if is_dataclass(one)), record)
    return record
