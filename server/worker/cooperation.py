"""Blocking calls made cooperative in two steps, because gunicorn's master imports the app for its workers.

1. `begin` in the master, before it imports whatever keeps a lock, a socket or `time.sleep` for itself.
2. `complete` in each process that it forks. What is left for then would take from the master what it lives
   by: gevent learns from SIGCHLD which child has ended, as gunicorn does, and only one can have that signal;
   and the master waits in a queue for signals, not in gevent's loop.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess

import gevent

# What `complete` asks for, so that the processes share it: importing it after the fork, each of them would
# make and touch 5 MB of its own.
import gevent.os
import gevent.queue
import gevent.signal
import gevent.subprocess
from gevent import monkey

COMPLETED = {
    os: gevent.os,
    signal: gevent.signal,
    subprocess: gevent.subprocess,
    queue: gevent.queue,
}


def begin() -> None:
    """Once; repeating it is harmless."""
    gevent.config.track_greenlet_tree = False  # who started whom: kept for each, asked for by nobody
    monkey.patch_all(os=False, signal=False, subprocess=False, queue=False)


def has_begun() -> bool:
    return bool(monkey.is_module_patched("threading"))


def complete() -> None:
    """As gevent's own `patch_os` and so on, which also search all installed packages for plugins that want
    to know: that takes 40 ms, and 2 MB of each process.
    """
    gevent.reinit()
    for module, cooperative in COMPLETED.items():
        for name in cooperative.__implements__:
            monkey.patch_item(module, name, getattr(cooperative, name))
