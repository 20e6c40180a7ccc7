"""gunicorn's gevent worker with HTTP/1.1 read by a C parser and each answer sent in as few pieces as it has.

A phone's sync is seven small requests on a connection of its own; in front of the store, the reading and
writing of HTTP was most of what they cost.

    socket ─► Conversation ─► asking (parser, body) ─► the WSGI app ─► answering (head, chunks) ─► socket
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

import gevent
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from server.worker.conversation import Conversation


class Worker(GeventWorker):
    """What gunicorn's settings `worker_class`, `keepalive`, `worker_connections` and `timeout` act on."""

    def handle(self, listener: socket.socket, client: socket.socket, addr: Any) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            Conversation(self, listener, client, addr).run()
        except (OSError, gevent.GreenletExit):
            pass  # the client has gone, or the worker is going
        except Exception:
            self.log.exception("A connection failed")
        finally:
            with contextlib.suppress(OSError):
                client.close()

    def handle_quit(self, _signal: int, _frame: Any) -> None:
        """Ctrl-C, which reaches the whole group, and the master's SIGQUIT after it. gunicorn would leave by
        an exception in a greenlet while the interpreter shuts down, and print it; what was acknowledged is
        on disk, so leaving on the spot is enough."""
        os._exit(0)
