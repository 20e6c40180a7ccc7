"""gunicorn's gevent worker with HTTP/1.1 read by a C parser and each answer sent in as few pieces as it has.

A phone's sync is seven small requests on a connection of its own; in front of the store, the reading and
writing of HTTP was most of what they cost.

    socket ─► Conversation ─► asking (parser, body) ─► the WSGI app ─► answering (head, chunks) ─► socket

A worker may have an errand of its own instead: it is then forked, ended and replaced by gunicorn like the
others, and hears no requests.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import gevent
from gevent.socket import socket as cooperative_socket
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from server.worker import cooperation
from server.worker.conversation import Conversation
from server.worker.places import Places

Errand = Callable[[Callable[[], bool]], None]  # is given what tells whether it must end


class Worker(GeventWorker):
    """What gunicorn's settings `worker_class`, `keepalive`, `worker_connections` and `timeout` act on."""

    errand: Errand | None = None  # set before the fork
    sockets: list[Any]
    places: Places

    def listen_to_master(self) -> None:
        """Right after the fork. Until gunicorn has set all handlers a worker has the master's, which would
        put away the word that it must end, unread.
        """
        at_once = self.handle_quit if self.errand is None else self.handle_exit
        signal.signal(signal.SIGTERM, self.handle_exit)
        signal.signal(signal.SIGINT, at_once)
        signal.signal(signal.SIGQUIT, at_once)

    def init_process(self) -> None:
        if self.errand is None:
            self.places = Places(self.worker_connections)
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

    def handle(self, listener: socket.socket, client: socket.socket, addr: Any) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.places.take()
        try:
            Conversation(self, listener, client, addr).run()
        except (OSError, gevent.GreenletExit):
            pass  # the client has gone, or the worker is going
        except Exception:
            self.log.exception("A connection failed")
        finally:
            self.places.leave()
            with contextlib.suppress(OSError):
                client.close()

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
