"""Reports and knowledge as resources. A run is named by its path, with `/` written as `%2F`, or by its job."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from nasturtium.errors import UserError
from nasturtium.serving.desk import Desk
from nasturtium.workflows.knowing import KINDS, knowledge

REPORTS = {
    "result.json": ("result.json", "application/json", "The verdict and every figure behind it."),
    "report.html": ("report.html", "text/html", "The same for people: one self-contained page."),
    "MODEL_CARD.md": ("best/MODEL_CARD.md", "text/markdown", "What the model is, how good, and what to beware of."),
}


def add_reports(server: MCPServer[Any], desk: Desk) -> None:
    """`nasturtium://runs/{run}/result.json`, `report.html` and `MODEL_CARD.md`."""
    for name, (file, mime_type, what) in REPORTS.items():
        uri = f"nasturtium://runs/{{run}}/{name}"
        server.resource(uri, name=name, description=what, mime_type=mime_type)(_reader(desk, file))


def add_knowledge(server: MCPServer[Any]) -> None:
    """`nasturtium://knowledge/architectures` and its like: what advice rests on, each entry with its source."""
    for kind in KINDS:
        uri, what = f"nasturtium://knowledge/{kind}", f"Known {kind}, each with its source."
        server.resource(uri, name=f"knowledge-{kind}", description=what, mime_type="application/json")(_knower(kind))


def _knower(kind: str) -> Callable[[], str]:
    def know() -> str:
        return json.dumps(knowledge(kind), indent=1, ensure_ascii=False, default=str)

    return know


def _reader(desk: Desk, file: str) -> Callable[[str], str]:
    def read(run: str) -> str:
        try:
            path = Path(desk.run(run)) / file
            return desk.roots.path(str(path), "The file").read_text(encoding="utf-8")
        except UserError as error:
            raise ResourceError(str(error)) from error
        except OSError:
            raise ResourceNotFoundError(f"The run {run!r} has no {file}. Has it ended?") from None

    return read
