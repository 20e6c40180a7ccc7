"""Server-sent events of one job: a page hears that it moved, and at once that it has ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from server.event_streams import LIFE_S
from server.jobs.queue import OPEN, Job

LOOK_S = 0.2
TELL_EVERY_S = 1.5

Look = Callable[[], Job | None]


def is_busy(job: Job) -> bool:
    return job.state in OPEN


def moves(look: Look, sleep: Callable[[float], None], clock: Callable[[], float]) -> Iterator[str]:
    """`moved` events while it goes on, at most every TELL_EVERY_S; `ended` at once when it has ended."""
    began = told_at = clock()
    told: Any = None
    yield "retry: 1000\n\n"
    while clock() - began < LIFE_S:
        job = look()
        if job is None or not is_busy(job):
            yield "event: ended\ndata: 1\n\n"
            return
        now = (job.state, job.done, job.result.get("stage"))
        if now != told and clock() - told_at >= TELL_EVERY_S:
            told, told_at = now, clock()
            yield f"event: moved\ndata: {json.dumps({'done': job.done, 'total': job.total})}\n\n"
        sleep(LOOK_S)
