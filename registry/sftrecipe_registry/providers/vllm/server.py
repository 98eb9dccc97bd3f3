"""A vLLM server that the engine starts, waits for and asks."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sftrecipe.plugin import Adapter, Answer, CallFailed, Connecting, Request, SftrecipeError
from sftrecipe_registry.shared.http.endpoint import Endpoint, bearer, open_endpoint
from sftrecipe_registry.shared.http.steering import Steering
from sftrecipe_registry.shared.processes.server_log import telling_lines
from sftrecipe_registry.shared.processes.server_process import (
    GRACE,
    ServerProcess,
    server_environment,
    server_process,
)

# The `vllm` command is missing in builds of other names; this module is in all of them.
_MODULE = "vllm.entrypoints.openai.api_server"
_FOLDER = "servers"
_PORT_TAKEN = "ddress already in use"
_PORTS = 3
_DIES_WITHIN = GRACE + 10.0
"""Seconds that a server which lost a worker takes to end."""


@dataclass(frozen=True)
class VllmServer:
    """What is served, and by which python."""

    python: Path
    model: str
    name: str
    """What requests call the model."""
    arguments: Sequence[str]
    start_timeout: float
    steering: Steering = field(default_factory=Steering)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def command(self, port: int) -> list[str]:
        """What is run."""
        return [
            *(str(self.python), "-m", _MODULE, "--model", self.model),
            *("--served-model-name", self.name, "--host", "127.0.0.1", "--port", str(port)),
            *("--disable-uvicorn-access-log", *self.arguments),
        ]


@asynccontextmanager
async def open_vllm(server: VllmServer, connecting: Connecting) -> AsyncIterator[Adapter]:
    """Start the server, and stop it with its workers at the end.

    Raises SftrecipeError with the server's own words when it does not start.
    """
    # The port is open to everybody on this machine. In the environment, since anybody sees a
    # command line and vLLM writes it into its log.
    key = connecting.secret(secrets.token_hex(24))
    environment = server_environment(
        server.python, {"VLLM_API_KEY": key, "VLLM_NO_USAGE_STATS": "1", "PYTHONSAFEPATH": "1"}
    )
    for attempt in range(1, _PORTS + 1):
        port = _free_port()
        endpoint = Endpoint(
            base_url=f"http://127.0.0.1:{port}/v1",
            model=server.name,
            headers={**server.headers, **bearer(key)},
            steering=server.steering,
            seeded=True,
        )
        connecting.progress(f"starting vLLM with {server.name} on port {port}")
        async with (
            server_process(
                f"vLLM with {server.name}",
                server.command(port),
                environment,
                connecting.folder / _FOLDER,
                connecting.progress,
            ) as process,
            open_endpoint(endpoint, connecting) as adapter,
        ):
            served = _Served(process, adapter, f"http://127.0.0.1:{port}", key, server.name)
            try:
                await process.ready(served.answers, server.start_timeout, connecting.progress)
            except SftrecipeError:
                if attempt < _PORTS and _PORT_TAKEN in telling_lines(process.log):
                    continue  # somebody took it between its choice and its use
                raise
            yield served
            return


class _Served:
    """Passes requests on; when one fails because the server died, says so at once."""

    def __init__(
        self, process: ServerProcess, adapter: Adapter, root: str, key: str, name: str
    ) -> None:
        self._process = process
        self._adapter = adapter
        self._root = root
        self._key = key
        self._name = name
        self._looking = asyncio.Lock()

    async def send(self, request: Request) -> Answer:
        """One attempt. Raises SftrecipeError when the server has died."""
        try:
            return await self._adapter.send(request)
        except CallFailed as failure:
            if failure.outcome in ("retry", "wait") and await self._died():
                raise self._process.error("server-died") from None
            raise

    async def answers(self) -> bool:
        """Whether it is this server that answers, and its model is at work."""
        import aiohttp  # noqa: PLC0415 - imported when the connection was opened

        wait = aiohttp.ClientTimeout(total=5)
        try:
            async with aiohttp.ClientSession(timeout=wait, headers=bearer(self._key)) as http:
                async with http.get(f"{self._root}/health") as health:
                    if health.status != 200:
                        return False
                async with http.get(f"{self._root}/v1/models") as models:
                    return models.status == 200 and self._name in await models.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _died(self) -> bool:
        async with self._looking:
            return await self._process.ended_within(_DIES_WITHIN, self.answers)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
