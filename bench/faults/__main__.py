"""Kill, cut off and starve a real server under load, and look after each fault whether anything is lost.

    python -m bench.faults [--faults 300] [--seed 1] [--phones 4] [--pouchdb 1] [--only worker follower]

Phones push records, edits, conflicts, deletions and photos through a network that cuts, delays and repeats
(`proxy`); they write down what was acknowledged (`phones`). At random moments processes get a SIGKILL, or
the disk fills. After each fault everything that was ever acknowledged is looked for, and `store check` reads
the file (`audit`). At the end every record must have its verdict. Exit status 1 if anything is lost.

The same seed picks the same faults; when they strike depends on the machine. SIGTERM ends it early, with the
table of what was done.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults.audit import Audit
from bench.faults.district import ADMIN, District, district
from bench.faults.phones import Ledger, Phone, PouchPhone
from bench.faults.proxy import Proxy

WEIGHTS = {"server": 2, "master": 1, "worker": 6, "follower": 3, "network": 2, "disk full": 1}
TROUBLE, STORM = 0.1, 0.7
ANSWERS_WITHIN_S = 60
JUDGED_WITHIN_S = 180
CALM_S_MAX = 0.6
STARVED_S = 1.0


@dataclass
class Outcome:
    faults: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    losses: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def run(
    faults: int,
    seed: int,
    phones: int,
    pouchdb: int,
    *,
    only: Sequence[str] = (),
    say: Callable[[str], None] = print,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """`only` names the kinds of faults to try; all of WEIGHTS without it."""
    weights = {kind: weight for kind, weight in WEIGHTS.items() if not only or kind in only}
    chance = random.Random(seed)
    outcome = Outcome()
    begun = time.monotonic()
    with district(phones + pouchdb) as made, tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(made.server.port, random.Random(seed + 1))
        proxy.trouble = TROUBLE
        audit = Audit(made.server.url, ADMIN, made.server.data / "store.sqlite3")
        ledgers = [Ledger(village, token) for village, token in made.tokens]
        ours = [Phone(proxy.port, ledgers[n], f"{seed} {n}") for n in range(phones)]
        real = [PouchPhone(proxy.port, ledgers[phones + n], str(n), Path(folder)) for n in range(pouchdb)]
        for phone in (*ours, *real):
            phone.start()
        for number in range(faults):
            try:
                _one_fault(made, proxy, audit, ledgers, chance, weights, outcome)
            except (AssertionError, OSError) as error:  # requests' errors are OSErrors
                outcome.losses.append(f"fault {number + 1}: {error!r}")
            if stopped() or outcome.losses or any(phone.troubled for phone in ours):
                break
            if number % 20 == 19:
                acknowledged = sum(len(ledger.revisions) for ledger in ledgers)
                say(f"{number + 1} faults, {acknowledged} revisions acknowledged")
        _end(ours, real, proxy, audit, ledgers, outcome)
    _summarise(outcome, audit, ledgers, ours, real, proxy, time.monotonic() - begun)
    if not made.can_fill:
        outcome.lines.append("Not tried: a full disk (no file system could be mounted)")
    return outcome


def _one_fault(
    made: District,
    proxy: Proxy,
    audit: Audit,
    ledgers: list[Ledger],
    chance: random.Random,
    weights: dict[str, int],
    outcome: Outcome,
) -> None:
    kinds = {kind: weight for kind, weight in weights.items() if kind != "disk full" or made.can_fill}
    kind = chance.choices(list(kinds), list(kinds.values()))[0]
    time.sleep(chance.random() * CALM_S_MAX)
    struck = time.monotonic()
    if not _strike(kind, made, proxy, chance):
        return
    audit.answers_within(ANSWERS_WITHIN_S)
    outcome.seconds[kind].append(time.monotonic() - struck)
    outcome.faults[kind] += 1
    outcome.losses += [f"after {kind}: {loss}" for loss in audit.losses(ledgers)]


def _strike(kind: str, made: District, proxy: Proxy, chance: random.Random) -> bool:
    if kind == "server":
        made.kill_everything()
    elif kind == "master":
        made.kill_master()
    elif kind in ("worker", "follower"):
        return made.kill_child(chance.randrange(100), kind == "follower")
    elif kind == "network":
        proxy.trouble = STORM
        time.sleep(STARVED_S)
        proxy.trouble = TROUBLE
    else:
        made.fill_disk()
        time.sleep(STARVED_S)
        made.free_disk()
    return True


def _end(
    ours: list[Phone],
    real: list[PouchPhone],
    proxy: Proxy,
    audit: Audit,
    ledgers: list[Ledger],
    outcome: Outcome,
) -> None:
    """In peace: the phones hand over the rest, intake judges the rest, everything is looked at once more."""
    proxy.trouble = 0.0
    for phone in ours:
        phone.stopped.set()
    for phone in ours:
        phone.join()
        if phone.troubled:
            outcome.losses.append(f"{phone.name}: {phone.troubled!r}")
    for pouch in real:
        if trouble := pouch.finish():
            outcome.losses.append(trouble)
    outcome.losses += [f"at the end: {loss}" for loss in audit.losses(ledgers)]
    end = time.monotonic() + JUDGED_WITHIN_S
    villages = {ledger.village for ledger in ledgers}
    while (
        left := [doc for village in villages for doc in audit.unjudged(village)]
    ) and time.monotonic() < end:
        time.sleep(0.5)
    outcome.losses += [f"never judged: {doc}" for doc in left[:20]]
    proxy.close()


def _summarise(
    outcome: Outcome,
    audit: Audit,
    ledgers: list[Ledger],
    ours: list[Phone],
    real: list[PouchPhone],
    proxy: Proxy,
    seconds: float,
) -> None:
    answers = sum((ledger.answers for ledger in ledgers), Counter())
    lines = ["fault              times   answers again after (median, most)"]
    for kind, times in sorted(outcome.faults.items()):
        told = outcome.seconds[kind]
        lines.append(f"{kind:<18} {times:>5}   {statistics.median(told):.1f} s, {max(told):.1f} s")
    lines.append(f"all                {sum(outcome.faults.values()):>5}   in {seconds:.0f} s")
    lines.append(
        f"connections: {', '.join(f'{name} {count}' for name, count in sorted(proxy.counts.items()))}"
    )
    lines.append(
        f"answers to our phones: {', '.join(f'{code} × {n}' for code, n in sorted(answers.items()))}"
    )
    errors = sum((phone.errors for phone in real), Counter())
    lines.append(f"PouchDB: {sum(errors.values())} replications broke off, then went on")
    revisions = sum(len(ledger.revisions) for ledger in ledgers)
    lines.append(f"acknowledged: {revisions} revisions; looked for {audit.revisions_checked} times")
    lines.append(f"losses: {len(outcome.losses)}")
    outcome.lines = lines + outcome.losses[:20]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phones", type=int, default=4)
    parser.add_argument("--pouchdb", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=WEIGHTS, default=())
    told = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    outcome = run(told.faults, told.seed, told.phones, told.pouchdb, only=told.only, stopped=ended.is_set)
    print("\n".join(outcome.lines))
    sys.exit(1 if outcome.losses else 0)


if __name__ == "__main__":
    main()
