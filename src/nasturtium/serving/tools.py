"""How functions become tools: users' mistakes are told, unknown arguments are refused."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations

from nasturtium.errors import UserError


def tool(function: Callable[..., Any], title: str, *, writes: bool = False) -> Tool:
    """A tool of this name and docstring. writes: does it change anything on disk or among the jobs?

    Arguments that it does not have are refused: a misspelt limit must not be a limit that is ignored.
    """
    annotations = ToolAnnotations(
        title=title,
        read_only_hint=not writes,
        destructive_hint=False,
        idempotent_hint=not writes,
        open_world_hint=False,
    )
    made = Tool.from_function(told(function), title=title, annotations=annotations)
    arguments = made.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"
    arguments.model_rebuild(force=True)
    made.parameters = arguments.model_json_schema(by_alias=True)
    made.description = inspect.cleandoc(made.description)
    return made


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """A `UserError` becomes the tool's answer. Anything else is a defect: the client learns only that there is one."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def waited(*given: Any, **named: Any) -> Any:
            try:
                return await function(*given, **named)
            except UserError as error:
                raise ToolError(str(error)) from error

        return waited

    @functools.wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except UserError as error:
            raise ToolError(str(error)) from error

    return called
