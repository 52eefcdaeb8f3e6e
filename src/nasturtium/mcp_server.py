"""The MCP door: the workflows as tools of an assistant, over stdio or loopback HTTP."""

from collections.abc import Sequence
from importlib.util import find_spec

from nasturtium.errors import MissingExtra, UserError
from nasturtium.workflows.options import parse_duration


def serve(
    roots: Sequence[str] = (),
    *,
    http: int | None = None,
    max_budget: str = "2h",
    max_jobs: int = 2,
    allow_code: bool = False,
) -> None:
    """Serve until the client goes (stdio) or Ctrl-C (HTTP).

    roots: folders that a client may reach; the working directory by default. http: port on 127.0.0.1; None is stdio.
    max_budget: longest search. max_jobs: searches at once. allow_code: may a client name a space that is a file?
    """
    if find_spec("mcp") is None:
        raise MissingExtra("mcp", "mcp", "The MCP server")
    from nasturtium.serving.desk import Desk
    from nasturtium.serving.roots import Roots
    from nasturtium.serving.server import make_server
    from nasturtium.workflows.jobs import Jobs

    if http is not None and not 0 < http < 65536:
        raise UserError(f"--http is {http}: a port lies between 1 and 65535, such as 8765.")
    ceiling_s = parse_duration(max_budget)
    if max_jobs < 1:
        raise UserError(f"--max-jobs is {max_jobs}: at least 1 is needed.")
    allowed = Roots.of(list(roots) or ["."])
    jobs = Jobs(allowed.first, max_jobs, ceiling_s)
    server = make_server(Desk(allowed, jobs, ceiling_s, allow_code))
    try:
        if http is None:
            server.run("stdio")
        else:
            server.run("streamable-http", host="127.0.0.1", port=http)
    finally:
        jobs.close()
