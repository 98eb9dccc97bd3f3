"""A headless Chromium that opens a page and tells what it did: requests, messages, its width."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass
class Opened:
    """What a page did."""

    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    title: str = ""
    overflow: int = 0
    """Pixels by which the page is wider than the window."""
    picture: bytes = b""
    facts: dict[str, Any] = field(default_factory=dict)


def chromium() -> str:
    """The browser's program; the test is skipped where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    return found


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A browser with a fresh profile in `folder`, and the way to command it."""
    command = [
        chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port = await _port(folder / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            tabs = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
            address = next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as commands:
                yield commands
    finally:
        process.terminate()
        await process.wait()


async def opened(
    commands: aiohttp.ClientWebSocketResponse,
    page: Path,
    *,
    width: int = 1280,
    dark: bool = False,
    ask: str = "null",
) -> Opened:
    """Open a page in the size and theme; `ask` is an expression that the test evaluates in it."""
    seen = Opened()
    send = _Sender(commands, seen)
    for domain in ("Page", "Network", "Log", "Runtime"):
        await send(f"{domain}.enable")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    await send("Emulation.setDeviceMetricsOverride", **metrics)
    theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    await send("Emulation.setEmulatedMedia", features=[theme])
    await send("Page.navigate", url=page.as_uri())
    await send.until("Page.loadEventFired")
    script = (
        "JSON.stringify({title: document.title, asked: " + ask + ", overflow: "
        "document.documentElement.scrollWidth - document.documentElement.clientWidth})"
    )
    told = await send("Runtime.evaluate", expression=script)
    seen.facts = json.loads(told["result"]["value"])
    seen.title, seen.overflow = seen.facts["title"], seen.facts["overflow"]
    taken = await send("Page.captureScreenshot", captureBeyondViewport=True)
    seen.picture = base64.b64decode(taken["data"])
    return seen


class _Sender:
    """Sends commands, and notes what the page does meanwhile."""

    def __init__(self, commands: aiohttp.ClientWebSocketResponse, seen: Opened) -> None:
        self._commands = commands
        self._seen = seen
        self._number = 0
        self._events: list[str] = []

    async def __call__(self, method: str, **values: Any) -> dict[str, Any]:
        self._number += 1
        await self._commands.send_json({"id": self._number, "method": method, "params": values})
        while True:
            told = await self._next()
            if told.get("id") == self._number:
                assert "error" not in told, told
                found: dict[str, Any] = told["result"]
                return found

    async def until(self, event: str) -> None:
        while event not in self._events:
            await self._next()
        self._events.remove(event)

    async def _next(self) -> dict[str, Any]:
        told: dict[str, Any] = await self._commands.receive_json(timeout=60)
        method, values = told.get("method", ""), told.get("params", {})
        self._events.append(method)
        if method == "Network.requestWillBeSent":
            self._seen.requests.append(values["request"]["url"])
        elif method == "Log.entryAdded":
            self._seen.messages.append(values["entry"]["text"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self._seen.messages.append(json.dumps(values))
        elif method == "Page.javascriptDialogOpening":
            self._seen.messages.append("dialog: " + values["message"])
        return told


async def _port(file: Path) -> int:
    ends = time.monotonic() + 60
    while not (port := _first_line(file)):
        assert time.monotonic() < ends, "Chromium did not start"
        await asyncio.sleep(0.05)
    return int(port)


def _first_line(file: Path) -> str:
    return file.read_text().partition("\n")[0] if file.exists() else ""
