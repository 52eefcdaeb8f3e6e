"""The server over HTTP: on this machine alone."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from mcp import Client

HERE = Path(__file__).parent


@pytest.fixture
def port(root: Path, environment: dict[str, str]) -> Iterator[int]:
    import sys

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    command = [sys.executable, str(HERE / "idle_server.py"), "mcp", "--root", str(root), "--http", str(number)]
    with subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        yield number
        process.terminate()
        process.wait(60)


@pytest.mark.slow
def test_a_client_on_this_machine_is_served_and_a_web_page_is_not(port: int) -> None:
    async def work() -> list[str]:
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert "profile_data" in anyio.run(work)
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    for more in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/mcp", body, {**headers, **more}, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=60)
        assert refused.value.code in (403, 421)
        refused.value.close()
