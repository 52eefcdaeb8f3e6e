"""The MCP server, put together."""

from importlib.metadata import version
from typing import Any

from mcp.server import MCPServer

from nasturtium.serving.advice_tools import advice_tools
from nasturtium.serving.data_tools import DataTools
from nasturtium.serving.desk import Desk
from nasturtium.serving.prompts import INSTRUCTIONS, add_prompts
from nasturtium.serving.resources import add_knowledge, add_reports
from nasturtium.serving.run_tools import RunTools
from nasturtium.serving.search_tools import SearchTools


def make_server(desk: Desk) -> MCPServer[Any]:
    """Tools, resources and prompts over what the desk allows."""
    server: MCPServer[Any] = MCPServer(
        "nasturtium",
        title="Nasturtium",
        description="Neural architecture search with the evidence.",
        instructions=INSTRUCTIONS,
        version=version("nasturtium"),
        tools=[*DataTools(desk).tools(), *advice_tools(desk), *SearchTools(desk).tools(), *RunTools(desk).tools()],
        log_level="WARNING",
    )
    add_reports(server, desk)
    add_knowledge(server)
    add_prompts(server)
    return server
