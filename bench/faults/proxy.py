"""A bad network: a TCP proxy that cuts, delays and repeats what passes through it.

client ──► proxy ──► server        per connection one of: nothing, or one of TROUBLES
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter

TROUBLES = ("cut request", "cut answer", "delay", "repeat")
CUT_AFTER_BYTES_MAX = 30_000
DELAY_S_MAX = 0.2
REPEATED_BYTES_MAX = 2_000_000
CHUNK = 16_384


class Proxy:
    """Listens on `port`. `trouble` is the share of connections that meet some; it may be changed any time."""

    def __init__(self, target_port: int, chance: random.Random) -> None:
        self.trouble = 0.0
        self.counts: Counter[str] = Counter()
        self._target_port = target_port
        self._chance = chance
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._on_loop(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._on_loop(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _stop(self) -> None:
        self._server.close()
        passing = asyncio.all_tasks() - {asyncio.current_task()}
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    def _on_loop(self, work):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # only `close` cancels; nobody asks for the outcome
            await self._carry(reader, writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trouble = self._chance.choice(TROUBLES) if self._chance.random() < self.trouble else "none"
        self.counts[trouble] += 1
        seen = bytearray()
        with contextlib.suppress(OSError):
            there, to_server = await asyncio.open_connection("127.0.0.1", self._target_port)
            requests = self._pass(reader, to_server, trouble == "cut request", trouble == "delay", seen)
            answers = self._pass(there, writer, trouble == "cut answer", trouble == "delay", None)
            tasks = [asyncio.create_task(requests), asyncio.create_task(answers)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            to_server.transport.abort()
        writer.transport.abort()
        if trouble == "repeat" and len(seen) < REPEATED_BYTES_MAX:
            await self._repeat(bytes(seen))

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cut: bool,
        delay: bool,
        seen: bytearray | None,
    ) -> None:
        left = self._chance.randrange(CUT_AFTER_BYTES_MAX) if cut else None
        while chunk := await reader.read(CHUNK):
            if delay:
                await asyncio.sleep(self._chance.random() * DELAY_S_MAX)
            if left is not None and len(chunk) >= left:
                writer.write(chunk[:left])
                await writer.drain()
                return
            left = None if left is None else left - len(chunk)
            writer.write(chunk)
            await writer.drain()
            if seen is not None:
                seen += chunk

    async def _repeat(self, requests: bytes) -> None:
        """The same bytes once more, late, on a connection of their own; nobody waits for the answers."""
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            writer.write(requests)
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(CHUNK), 2)
            writer.transport.abort()
