"""One question to an OpenAI-compatible endpoint, with the standard library alone."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from nasturtium.errors import RunError

Message = dict[str, str]
LARGEST = 1_000_000
CHUNK = 65_536


class NoReply(Exception):
    """The endpoint gave no usable reply; the text says why in a few words."""


@dataclass(frozen=True)
class Endpoint:
    """url: up to and without `/chat/completions`. key: sent as a bearer token; never written anywhere.

    timeout_s: for the whole reply. temperature: None leaves it to the endpoint.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    timeout_s: float = 30.0
    temperature: float | None = None

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname:
            raise RunError(f"NASTURTIUM_LLM_URL is {self.url!r}: it must be like http://localhost:11434/v1.")
        if not self.timeout_s > 0:
            raise RunError(f"NASTURTIUM_LLM_TIMEOUT is {self.timeout_s:g}: it must be above 0 seconds.")

    @staticmethod
    def from_environment() -> "Endpoint | None":
        """Of NASTURTIUM_LLM_URL, _MODEL, _KEY and _TIMEOUT; None without a URL. Raises `RunError` for a wrong one."""
        url, timeout = os.environ.get("NASTURTIUM_LLM_URL"), os.environ.get("NASTURTIUM_LLM_TIMEOUT", "30")
        if not url:
            return None
        model = os.environ.get("NASTURTIUM_LLM_MODEL")
        if not model:
            raise RunError("NASTURTIUM_LLM_URL is set, but NASTURTIUM_LLM_MODEL is not: name the model to ask.")
        try:
            seconds = float(timeout)
        except ValueError:
            raise RunError(f"NASTURTIUM_LLM_TIMEOUT is {timeout!r}: give seconds, such as 30.") from None
        return Endpoint(url.rstrip("/"), model, os.environ.get("NASTURTIUM_LLM_KEY"), seconds)

    @property
    def shown(self) -> str:
        """For remarks: the model and the host, without path or key."""
        return f"{self.model} at {urlsplit(self.url).hostname}"

    def reply(self, messages: Sequence[Message]) -> str:
        """The text of the first choice. Raises `NoReply`, after `timeout_s` at the latest by much."""
        payload: dict[str, Any] = {"model": self.model, "messages": list(messages)}
        if self.temperature is not None:
            payload["temperature"] = self.temperature
        headers = {"Content-Type": "application/json", "User-Agent": "nasturtium"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = Request(f"{self.url}/chat/completions", json.dumps(payload).encode(), headers, method="POST")
        try:
            body = json.loads(self._read(request))
            text = body["choices"][0]["message"]["content"]
        except HTTPError as error:
            raise NoReply(f"it answered {error.code} {error.reason}") from None
        except TimeoutError:
            raise NoReply(f"no answer within {self.timeout_s:g} s") from None
        except (OSError, HTTPException) as error:
            raise NoReply(_network(error, self.timeout_s)) from None
        except (ValueError, KeyError, IndexError, TypeError):
            raise NoReply("its answer is not that of a chat endpoint") from None
        if not isinstance(text, str) or not text.strip():
            raise NoReply("its answer is empty")
        return text

    def _read(self, request: Request) -> bytes:
        """The body, within time and size, though it may come in drops."""
        until, found = time.monotonic() + self.timeout_s, b""
        with build_opener(_NoRedirect).open(request, timeout=self.timeout_s) as answer:
            while chunk := answer.read1(CHUNK):
                found += chunk
                if len(found) > LARGEST:
                    raise NoReply(f"its answer is longer than {LARGEST:,} bytes")
                if time.monotonic() > until:
                    raise TimeoutError
        return found


class _NoRedirect(HTTPRedirectHandler):
    """A redirection would carry the key to another host."""

    def redirect_request(self, *given: Any, **named: Any) -> None:
        return None


def _network(error: Exception, timeout_s: float) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    return f"it cannot be reached ({getattr(reason, 'strerror', None) or reason or type(error).__name__})"
