"""The loop that looks, sends and notes what came of it; one thread beside intake's follower.

1. Each second it looks at what happened (the board at most every BOARD_EVERY_S).
2. For each subscription with something due a thread sends one delivery after the other, so that a slow
   receiver delays nobody else.
3. What was answered with 2xx is delivered. Whatever else comes is tried again after RETRY_AFTER_S, longer and
   longer; killed between sending and noting, it is sent again under the same id.
4. A receiver that took nothing for DISABLE_AFTER, or says that it is gone, is disabled and the page says why.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import update

from server.app import Gridbook
from server.bulletins.refusals import Refused
from server.clock import stamp
from server.lock import FileLock, LockHeld
from server.people.tables import webhooks
from server.webhooks import outbox, subscriptions
from server.webhooks.outbox import Delivery
from server.webhooks.sending import GONE, TIMEOUT_S, Answer, send
from server.webhooks.subscriptions import Webhook
from server.webhooks.watching import Watcher

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
BOARD_EVERY_S = 15.0
PRUNE_EVERY_S = 3600.0
AFTER_TROUBLE_S = 5.0
RETRY_AFTER_S = (5, 30, 120, 600, 1800, 3600)  # the last one again and again
JITTER = 0.2  # more or less
PAUSE_MAX_S = 60  # between attempts at a receiver that fails, whichever event it is
DISABLE_AFTER = timedelta(hours=24)
GIVE_UP_AFTER = timedelta(hours=72)
AT_ONCE = 200  # deliveries that are read together


class Deliverer:
    def __init__(
        self,
        shared: Gridbook,
        *,
        timeout_s: float = TIMEOUT_S,
        jitter: Callable[[], float] = lambda: random.uniform(1 - JITTER, 1 + JITTER),  # noqa: S311
    ) -> None:
        self._shared, self._timeout_s, self._jitter = shared, timeout_s, jitter
        self._watcher = Watcher(shared)
        self._busy: dict[str, threading.Thread] = {}
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Until told to stop; one at a time for a data folder."""
        self._stop = stop
        lock = FileLock(self._shared.settings.data / "webhooks.lock")
        board_at = prune_at = 0.0
        while not stop.is_set():
            try:
                lock.acquire()
                now = time.monotonic()
                self.look(at_board=now >= board_at)
                board_at = now + BOARD_EVERY_S if now >= board_at else board_at
                self._start_sending()
                if now >= prune_at:
                    outbox.prune(self._shared.people)
                    prune_at = now + PRUNE_EVERY_S
                stop.wait(LOOK_EVERY_S)
            except LockHeld:
                stop.wait(AFTER_TROUBLE_S)
            except Exception:  # the store or the tables may be gone for a moment
                log.exception("webhooks: will be looked at again")
                stop.wait(AFTER_TROUBLE_S)
        lock.release()

    def look(self, *, at_board: bool = True) -> int:
        """Put what happened into the outbox; returns how many deliveries that makes."""
        return self._watcher.look(subscriptions.active(self._shared.people), at_board=at_board)

    def send_due(self) -> None:
        """Send what is due and wait for it."""
        self._start_sending()
        for thread in list(self._busy.values()):
            thread.join()

    def _start_sending(self) -> None:
        now = self._shared.people.stamp()
        self._busy = {key: thread for key, thread in self._busy.items() if thread.is_alive()}
        for webhook in subscriptions.active(self._shared.people):
            if webhook.next_at <= now and webhook.webhook_id not in self._busy:
                # Nobody waits for them at the end: what they were sending is sent again.
                thread = threading.Thread(target=self._send_to, args=[webhook.webhook_id], daemon=True)
                self._busy[webhook.webhook_id] = thread
                thread.start()

    def _send_to(self, webhook_id: str) -> None:
        try:
            while deliveries := outbox.due(self._shared.people, webhook_id, AT_ONCE):
                for delivery in deliveries:
                    if self._stop.is_set() or not self._sent(webhook_id, delivery):
                        return
        except Refused:
            log.info("webhook %s was removed", webhook_id)
        except Exception:
            log.exception("webhook %s: will be tried again", webhook_id)

    def _sent(self, webhook_id: str, delivery: Delivery) -> bool:
        """One attempt, noted. Raises Refused when the subscription is gone."""
        people = self._shared.people
        webhook, at = subscriptions.one(people, webhook_id), people.now()
        if webhook.disabled:
            return False
        answer = send(
            webhook.url,
            self._shared.settings.webhook_hosts,
            subscriptions.secrets_now(people, webhook),
            delivery.event_id,
            delivery.body.encode(),
            int(at.timestamp()),
            self._timeout_s,
        )
        if answer.delivered:
            self._note_delivered(webhook, delivery, answer, at)
        else:
            self._note_failed(webhook, delivery, answer, at)
        return answer.delivered

    def _note_delivered(self, webhook: Webhook, delivery: Delivery, answer: Answer, at: datetime) -> None:
        self._note(webhook, delivery, answer, at, "delivered", at, {"failures": 0, "failing_since": None})

    def _note_failed(self, webhook: Webhook, delivery: Delivery, answer: Answer, at: datetime) -> None:
        since = webhook.failing_since or stamp(at)
        given_up = delivery.created_at < stamp(at - GIVE_UP_AFTER)
        again = at + timedelta(seconds=self._delay_s(delivery.attempts))
        pause_s = min(self._delay_s(webhook.failures), PAUSE_MAX_S * self._jitter())
        values: dict[str, object] = {
            "failures": webhook.failures + 1,
            "failing_since": since,
            "next_at": stamp(at + timedelta(seconds=pause_s)),
        }
        why = "gone" if answer.status == GONE else "failing" if since <= stamp(at - DISABLE_AFTER) else ""
        if why:
            values |= {"disabled": why, "disabled_at": stamp(at)}
            log.warning("webhook %s is disabled: %s (%s)", webhook.webhook_id, why, answer.error)
        self._note(webhook, delivery, answer, at, "given_up" if given_up else "waiting", again, values)

    def _note(
        self,
        webhook: Webhook,
        delivery: Delivery,
        answer: Answer,
        at: datetime,
        state: str,
        again: datetime,
        values: dict[str, object],
    ) -> None:
        values = {**values, "last_at": stamp(at), "last_status": answer.status}
        with self._shared.people.engine.begin() as connection:
            outbox.note(
                connection,
                webhook.webhook_id,
                delivery,
                state=state,
                at=stamp(at),
                next_at=stamp(again),
                status=answer.status,
                error=answer.error,
            )
            of = webhooks.c.webhook_id == webhook.webhook_id
            connection.execute(update(webhooks).where(of).values(**values))

    def _delay_s(self, attempts: int) -> float:
        return RETRY_AFTER_S[min(attempts, len(RETRY_AFTER_S) - 1)] * self._jitter()


@contextlib.contextmanager
def delivering_beside(shared: Gridbook) -> Iterator[None]:
    """Delivers in a thread while the caller does something else."""
    stop = threading.Event()
    thread = threading.Thread(target=Deliverer(shared).run, args=[stop], name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(LOOK_EVERY_S)
