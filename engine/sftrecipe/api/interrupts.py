"""Ctrl-C and SIGTERM while an event loop runs: heard soon, whatever the loop is doing."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

PATIENCE = 0.4
"""Seconds in which the loop takes up an interrupt by itself; then what it does is broken off."""

Result = TypeVar("Result")


def run_interruptibly(work: Coroutine[Any, Any, Result]) -> Result:
    """Run until it is done, as `asyncio.run` does.

    At Ctrl-C the work is cancelled, so that it ends in order; where the loop is busy with a row
    that takes long, it is broken off there. Threads that still compute are not waited for. Raises
    KeyboardInterrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(work)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    interrupt = _Interrupt(loop)
    try:
        with interrupt.heard():
            task = loop.create_task(work)
            interrupt.task = task
            try:
                return loop.run_until_complete(task)
            except asyncio.CancelledError:
                if interrupt.asked:
                    raise KeyboardInterrupt from None
                raise
            finally:
                end_tasks(loop)
    finally:
        if not interrupt.asked:
            loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()


class _Interrupt:
    """What a signal does to the loop's work."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.asked = False
        self._loop = loop

    @contextlib.contextmanager
    def heard(self) -> Any:
        """Heed SIGINT until the block ends, if the process does."""
        before = signal.getsignal(signal.SIGINT)
        if before is signal.SIG_IGN:
            yield
            return
        alarm = signal.signal(signal.SIGALRM, self._broken_off)
        signal.signal(signal.SIGINT, self._signalled)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGALRM, alarm)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.asked or self.task is None:  # the second time at once
            raise KeyboardInterrupt
        self.asked = True
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        # Here, and not in the loop: what waits in the middle of it looks at that.
        self.task.cancel()
        self._loop.call_soon_threadsafe(signal.setitimer, signal.ITIMER_REAL, 0)

    def _broken_off(self, number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt


def end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what still runs, and let it clear away."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
