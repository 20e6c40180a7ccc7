"""Push, pull, read and wait as PouchDB 9's replicator does, every answer checked.

    python -m bench.sync URL [URL…] [--works alone district rush …] [--rounds 5] [--scale 1]

The servers run on this machine, because their processes are watched. Each does the same work in turn within
a round, so that a change of the machine's mood hits all; medians over the rounds are printed, and how often
each goes into the first server's. The user in a URL must be allowed to create and delete databases.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
from collections.abc import Awaitable, Callable
from functools import partial

from bench.sync import works
from bench.sync.http import Address
from bench.sync.works import Figures, Work

try:
    from uvloop import run
except ImportError:  # slower, and still right
    from asyncio import run

Shape = Callable[[Work], Awaitable[None]]


def shapes(scale: float) -> dict[str, Shape]:
    def part(count: int) -> int:
        return max(int(count * scale), 1)

    return {
        "alone": partial(works.district, phones=1, records=part(3000), pulling=1),
        "district": partial(works.district, phones=part(300)),
        "spread": partial(works.spread, phones=part(300)),
        "rush": partial(works.rush, phones=part(3000)),
        "waiting-200": partial(works.waiting, longpolls=200),
        "waiting-1000": partial(works.waiting, longpolls=1000),
        "nothing": partial(works.nothing, phones=part(300)),
    }


async def measure(addresses: list[Address], shape: Shape, rounds: int) -> list[list[Figures]]:
    """For each address its figures, round by round."""
    found: list[list[Figures]] = [[] for _ in addresses]
    for seed in range(rounds):
        for number, address in enumerate(addresses):
            figures: Figures = {}
            await shape(Work(address, seed, figures))
            found[number].append(figures)
            await asyncio.sleep(1)  # what one server still writes must not slow the next
    return found


def report(name: str, addresses: list[Address], found: list[list[Figures]]) -> None:
    print(f"\n{name:34}" + "".join(f"{address.label:>28}" for address in addresses))
    for figure in found[0][0]:
        medians = [statistics.median(one[figure] for one in rounds) for rounds in found]
        cells = [f"{value:>16,.1f} {_ratio(value, medians[0]):>11}" for value in medians]
        print(f"{figure:34}" + "".join(cells))
        if len(found[0]) > 1:
            ranges = [(min(one[figure] for one in some), max(one[figure] for one in some)) for some in found]
            print(" " * 34 + "".join(f"{f'[{low:,.1f}–{high:,.1f}]':>28}" for low, high in ranges))


def _ratio(value: float, base: float) -> str:
    return f"({value / base:.2f}×)" if base else ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--works", nargs="+", choices=shapes(1), default=list(shapes(1)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="the share of phones that come")
    options = parser.parse_args()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    addresses = [Address.of(url) for url in options.urls]
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, generator on the same; load before {load:.1f}; {options.rounds} rounds")
    for name in options.works:
        shape = shapes(options.scale)[name]
        report(name, addresses, run(measure(addresses, shape, options.rounds)))


if __name__ == "__main__":
    main()
