"""Blocking calls made cooperative in two steps, because gunicorn's master imports the app for its workers.

1. `begin` in the master, before it imports whatever keeps a lock, a socket or `time.sleep` for itself.
2. `complete` in each process that it forks. What is left for then would take from the master what it lives
   by: gevent learns from SIGCHLD which child has ended, as gunicorn does, and only one can have that signal;
   and the master waits in a queue for signals, not in gevent's loop.
"""

from __future__ import annotations

import gevent

# What `complete` asks for, so that the processes share it: importing it after the fork, each of them would
# make and touch 5 MB of its own.
import gevent.os
import gevent.queue
import gevent.signal
import gevent.subprocess
from gevent import monkey


def begin() -> None:
    """Once; repeating it is harmless."""
    monkey.patch_all(os=False, signal=False, subprocess=False, queue=False)


def has_begun() -> bool:
    return bool(monkey.is_module_patched("threading"))


def complete() -> None:
    gevent.reinit()
    monkey.patch_os()
    monkey.patch_signal()
    monkey.patch_subprocess()
    monkey.patch_queue()
