"""Finished searches on disk: one JSON line each, so that a bench that was killed goes on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasturtium.errors import RunError

SCHEMA = 1


class Lines:
    """Records by key in a file to which lines are appended. path: None keeps them in memory alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.records: dict[str, Mapping[str, Any]] = {}
        if path is not None and path.exists():
            self._read(path)

    def add(self, key: str, record: Mapping[str, Any]) -> None:
        """Written before this returns. Raises `RunError` where it cannot be."""
        self.records[key] = record
        if self._path is None:
            return
        line = json.dumps({"schema": SCHEMA, "key": key, **record}, separators=(",", ":"))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise RunError(f"{str(self._path)!r} cannot be written: {error.strerror or error}.") from error

    def _read(self, path: Path) -> None:
        """A last line that was cut off by a kill is dropped, from the file too."""
        whole = 0
        with open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                record = _parsed(line, number, path)
                if record.get("schema") == SCHEMA:
                    self.records[record["key"]] = record
        if whole < path.stat().st_size:
            os.truncate(path, whole)


def _parsed(line: bytes, number: int, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not {"schema", "key"} <= set(record):
        raise RunError(
            f"Line {number} of {str(path)!r} is not a record of a search. Remove it, or choose another folder with "
            "--output."
        )
    return record
