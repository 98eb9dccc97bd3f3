"""Work with an event loop in a thread of its own, so that a notebook's own loop may run beside it.

The thread that waits for it takes what it sends; nothing of the process changes: no signal handler,
no event loop of the waiting thread, no policy.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from sftrecipe.api.interrupts import PATIENCE, end_tasks
from sftrecipe.errors import RecipeError, SftrecipeError

Result = TypeVar("Result")
Part = TypeVar("Part")
Hear = Callable[[Any], object]
"""Who takes what the work sends, in the thread that waits."""
_WAKE = 0.2
"""Seconds in which an event loop is woken: Jupyter cancels a cell out of a signal's handler, which
a loop that sleeps does not see."""
_TICK = 1.0
"""Seconds after which a wait is taken up anew: some systems hear no signal in the middle of one."""


class BackgroundWork(Generic[Result]):
    """Work that was begun; `work` is given this, for `loop` and `send`."""

    def __init__(self, work: Callable[[BackgroundWork[Result]], Result]) -> None:
        self._work = work
        self._ended: Future[Result] = Future()
        self._sent: SimpleQueue[Any] = SimpleQueue()
        self._send: Hear = self._sent.put
        self._cancelled = False
        self._state = threading.Lock()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        context = copy_context()
        self._thread = threading.Thread(
            target=lambda: context.run(self._execute), name="sftrecipe", daemon=True
        )

    def loop(self, part: Coroutine[Any, Any, Part]) -> Part:
        """Execute a coroutine to its end, in the work's thread."""
        loop = asyncio.new_event_loop()
        try:
            with self._state:
                if self._cancelled:
                    part.close()
                    raise KeyboardInterrupt
                task = loop.create_task(part)
                self._running = loop, task
            try:
                return loop.run_until_complete(task)
            except asyncio.CancelledError:
                if self._cancelled:
                    raise KeyboardInterrupt from None
                raise
        finally:
            end_tasks(loop)
            if not self._cancelled:  # else threads that still compute are not waited for
                loop.run_until_complete(loop.shutdown_default_executor())
            with self._state:
                self._running = None
                loop.close()

    def send(self, told: Any) -> None:
        """Have it heard where the work is waited for."""
        self._send(told)

    def result(self, hear: Hear) -> Result:
        """Begin, and wait for the result; what `hear` raises ends the work, as Ctrl-C does."""
        self._ended.add_done_callback(lambda _: self._sent.put(self._ended))
        self._thread.start()
        try:
            while (told := self._next()) is not self._ended:
                hear(told)
        except BaseException:
            self.cancel()
            self._thread.join()
            raise
        ended: Future[Result] = self._ended
        return ended.result()

    async def awaited(self, hear: Hear) -> Result:
        """The same without holding up the event loop that it is awaited in."""
        loop, failed = asyncio.get_running_loop(), list[BaseException]()

        def heard(told: Any) -> None:
            try:
                if not failed:
                    hear(told)
            except BaseException as error:
                failed.append(error)
                self.cancel()

        self._send = lambda told: loop.call_soon_threadsafe(heard, told)
        self._thread.start()
        ended = asyncio.wrap_future(self._ended)
        try:
            while not ended.done():
                await asyncio.wait([ended], timeout=_WAKE)
            result = ended.result()
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.wait([ended])
            ended.exception()  # else it is told as one that nobody took
            raise
        except KeyboardInterrupt:
            if not failed:
                raise
        if failed:
            raise failed[0]
        return result

    def cancel(self) -> None:
        """End the work in order; where its loop does not hear that soon, break it off there."""
        with self._state:
            self._cancelled = True
            if self._running is not None:
                loop, task = self._running
                loop.call_soon_threadsafe(task.cancel)
        threading.Timer(PATIENCE, self._break_off).start()

    def _break_off(self) -> None:
        with self._state:
            running = self._running
        if self._ended.done() or (running and running[1].cancelling()):
            return
        thread = ctypes.c_ulong(self._thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(KeyboardInterrupt))

    def _execute(self) -> None:
        try:
            result = self._work(self)
        except (SftrecipeError, RecipeError) as error:  # explained without a traceback
            shown = error if os.environ.get("SFTRECIPE_DEBUG") else error.with_traceback(None)
            self._ended.set_exception(shown)
        except BaseException as error:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(result)

    def _next(self) -> Any:
        while True:
            try:
                return self._sent.get(timeout=_TICK)
            except Empty:
                continue
