"""A worker hears what the master tells it, whatever it is doing."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest
from gunicorn.workers.ggevent import GeventWorker

from server.worker import Worker


class Listening(Worker):
    def __init__(self) -> None:
        self.heard: list[int] = []

    def handle_quit(self, sig: int, frame: Any) -> None:
        self.heard.append(sig)


def test_a_word_that_comes_while_handlers_are_set_does_not_kill_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told_in_between(worker: Listening) -> None:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signal.SIGQUIT)
        signal.signal(signal.SIGQUIT, worker.handle_quit)

    monkeypatch.setattr(GeventWorker, "init_signals", told_in_between)
    before, blocked = signal.getsignal(signal.SIGQUIT), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    worker = Listening()
    try:
        worker.init_signals()
    finally:
        signal.signal(signal.SIGQUIT, before)
    assert worker.heard == [signal.SIGQUIT]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == blocked
