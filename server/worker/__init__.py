"""gunicorn's gevent worker with HTTP/1.1 read by a C parser and each answer sent in as few pieces as it has.

A phone's sync is seven small requests on a connection of its own; in front of the store, the reading and
writing of HTTP was most of what they cost.

    socket ─► Conversation ─► asking (parser, body) ─► the WSGI app ─► answering (head, chunks) ─► socket

A connection has a greenlet while there is something to do: none while it waits for a request, nor while a
feed waits for something to tell (`pausing`).

A worker may have an errand of its own instead: it is then forked, ended and replaced by gunicorn like the
others, and hears no requests.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gevent.socket import socket as cooperative_socket
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from server.worker import cooperation
from server.worker.conversation import Conversation, environ_of
from server.worker.pausing import goes_on_in, wait_for, when_readable
from server.worker.places import Places

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Errand = Callable[[Callable[[], bool]], None]  # is given what tells whether it must end


class _Server(StreamServer):
    def do_close(self, *_: Any) -> None:
        """A connection that pauses is not over when its greenlet ends."""


class Worker(GeventWorker):
    """What gunicorn's settings `worker_class`, `keepalive`, `worker_connections` and `timeout` act on."""

    errand: Errand | None = None  # set before the fork
    sockets: list[Any]
    places: Places
    keepalive_s: float

    def listen_to_master(self) -> None:
        """Right after the fork. Until gunicorn has set all handlers a worker has the master's, which would
        put away the word that it must end, unread.
        """
        at_once = self.handle_quit if self.errand is None else self.handle_exit
        signal.signal(signal.SIGTERM, self.handle_exit)
        signal.signal(signal.SIGINT, at_once)
        signal.signal(signal.SIGQUIT, at_once)

    def init_signals(self) -> None:
        """gunicorn's sets each back to its default first: a word that came in between would kill the worker,
        and the master would complain.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, self.SIGNALS)
        try:
            super().init_signals()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def init_process(self) -> None:
        if self.errand is None:
            self.places = Places(self.worker_connections)
            self.keepalive_s = float(self.cfg.keepalive)
            super().init_process()
        else:
            self._run(self.errand)

    def patch(self) -> None:
        if not cooperation.has_begun():
            super().patch()
            return
        cooperation.complete()
        self.sockets = [
            cooperative_socket(one.FAMILY, socket.SOCK_STREAM, fileno=one.sock.detach())
            for one in self.sockets
        ]

    def server_class(self, listener: Any, *, spawn: Pool, **given: Any) -> StreamServer:
        """gunicorn asks for one for each address that it listens on; `spawn` has this worker's places."""
        tls = {"ssl_context": given["ssl_context"]} if "ssl_context" in given else {}
        begin = partial(self._begin, environ_of(listener, self.cfg), None if tls else spawn)
        server = _Server(listener, handle=begin, spawn=spawn, **tls)
        if self.cfg.workers > 1:
            server.max_accept = 1
        return server

    def _begin(self, environ: WSGIEnvironment, pool: Pool | None, client: Any, address: Any) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.places.take()
        self._talk(pool, client, Conversation(self, environ, client, address))

    def _talk(self, pool: Pool | None, client: Any, conversation: Conversation) -> None:
        """Until the connection ends, or has a pause, after which another greenlet goes on: one's stacks are
        most of what a connection takes.
        """
        goes_on = False
        try:
            while pause := conversation.run():
                go_on = partial(self._talk, pool, client, conversation)
                if goes_on := pool is not None and goes_on_in(pool, pause, go_on):
                    break
                wait_for(pause)
        except (OSError, gevent.GreenletExit):
            pass  # the client has gone, or the worker is going
        except Exception:
            self.log.exception("A connection failed")
        finally:
            if not goes_on:
                self._end(client, conversation)

    def _end(self, client: Any, conversation: Conversation) -> None:
        conversation.end()
        self.places.leave()
        with contextlib.suppress(OSError):
            client.close()

    when_readable = staticmethod(when_readable)

    def notify(self) -> None:
        """gunicorn calls it each second, also while a worker that ends waits for its connections."""
        super().notify()
        if not self.alive:
            self.places.end_idle()

    def handle_quit(self, _signal: int, _frame: Any) -> None:
        """Ctrl-C, which reaches the whole group, and the master's SIGQUIT after it. gunicorn would leave by
        an exception in a greenlet while the interpreter shuts down, and print it; what was acknowledged is
        on disk, so leaving on the spot is enough."""
        os._exit(0)

    def _run(self, errand: Errand) -> None:
        self.booted = True  # gunicorn gives up the whole server for a worker that fails before this
        cooperation.complete()
        for listener in self.sockets:
            listener.close()
        for number in (signal.SIGHUP, signal.SIGABRT, signal.SIGCHLD, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGUSR1, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        errand(lambda: not self.alive)
