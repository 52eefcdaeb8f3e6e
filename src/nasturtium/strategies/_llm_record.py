"""What a language model has answered, kept by what it was asked, so that a resumed search does not ask again."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from nasturtium.strategies._llm_endpoint import Message


@dataclass(frozen=True)
class Answer:
    """text: None where there was no usable reply; then `failure` says why."""

    text: str | None
    failure: str | None = None


@dataclass(eq=False)
class Record:
    """Answers in a file of JSON lines, or in memory alone (path None). Whole lines only: a torn one is passed over."""

    path: Path | None = None
    _answers: dict[str, Answer] = field(default_factory=dict)
    _read: bool = False

    def get(self, key: str) -> Answer | None:
        self._load()
        return self._answers.get(key)

    def keep(self, key: str, answer: Answer) -> None:
        """On disk before it is used. A disk that cannot be written costs the record, never the search."""
        self._load()
        self._answers[key] = answer
        if self.path is None:
            return
        line = json.dumps({"prompt": key, "reply": answer.text, "failure": answer.failure})
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self.path = None

    @property
    def answers(self) -> tuple[Answer, ...]:
        """In the order in which they came."""
        self._load()
        return tuple(self._answers.values())

    def _load(self) -> None:
        if self._read or self.path is None:
            return
        self._read = True
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return
        for line in lines:
            held = _parsed(line)
            if held is not None:
                self._answers[held["prompt"]] = Answer(held.get("reply"), held.get("failure"))


def key_of(messages: Sequence[Message], model: str) -> str:
    """The hash of what is asked, and of whom."""
    text = json.dumps([model, list(messages)], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        held = json.loads(line)
    except ValueError:
        return None
    return held if isinstance(held, dict) and isinstance(held.get("prompt"), str) else None
