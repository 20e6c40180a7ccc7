"""Supersede chains: which version of a fact counts.

A correction names the record that it replaces. All records that hang together so are one chain; at most one
of them counts: the accepted
one that no other accepted record builds on, and among several such the one that happened last. If that one is
a withdrawal, none counts.

A correction reaches a record of its own inbox, or one that the same writer put into another: nobody replaces
another village's records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ACCEPTED = ("accepted", "accepted_with_warnings")

Key = tuple[str, str]  # database, record id


@dataclass(frozen=True, slots=True)
class Link:
    """One record of a chain."""

    key: Key
    supersedes: str | None
    writer: str
    status: str
    voided: bool
    happened_at: str
    received_at: str


@dataclass(frozen=True, slots=True)
class Place:
    """What the chain makes of one record. `superseded_by` closes it: nothing is left to do about it.
    `sibling`: one of several ends."""

    effective: bool
    superseded_by: str | None
    sibling: bool


def resolve(links: Sequence[Link]) -> dict[Key, Place]:
    parents = _parents(links)
    result: dict[Key, Place] = {}
    for chain in _connected(links, parents):
        result |= _resolve_chain(chain, parents)
    return result


def _parents(links: Sequence[Link]) -> dict[Key, Key]:
    """What each record replaces; a record that has not arrived stands as it would in the corrector's
    inbox."""
    by_id: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_id[link.key[1]].append(link)
    found: dict[Key, Key] = {}
    for link in links:
        if link.supersedes and link.supersedes != link.key[1]:
            target = _target(link, by_id.get(link.supersedes, []))
            if target:
                found[link.key] = target
    return found


def _target(link: Link, candidates: Sequence[Link]) -> Key | None:
    own = (link.key[0], link.supersedes or "")
    if not candidates or any(candidate.key == own for candidate in candidates):
        return own
    return min((candidate.key for candidate in candidates if candidate.writer == link.writer), default=None)


def _connected(links: Sequence[Link], parents: Mapping[Key, Key]) -> list[list[Link]]:
    group: dict[Key, Key] = {}

    def find(key: Key) -> Key:
        while group.get(key, key) != key:
            key = group[key]
        return key

    for child, parent in parents.items():
        group[find(child)] = find(parent)
    chains: dict[Key, list[Link]] = defaultdict(list)
    for link in links:
        chains[find(link.key)].append(link)
    return list(chains.values())


def _resolve_chain(chain: Sequence[Link], parents: Mapping[Key, Key]) -> dict[Key, Place]:
    accepted = [link for link in chain if link.status in ACCEPTED]
    if not accepted:
        return {link.key: Place(False, None, False) for link in chain}
    built_on = set().union(*(_ancestors(link.key, parents) for link in accepted))
    ends = [link for link in accepted if link.key not in built_on] or accepted
    winner = max(ends, key=lambda link: (link.happened_at, link.received_at, link.key[1], link.key[0]))
    return {link.key: _place(link, winner, built_on, ends) for link in chain}


def _place(link: Link, winner: Link, built_on: set[Key], ends: Sequence[Link]) -> Place:
    sibling = len(ends) > 1 and link in ends
    if link.key == winner.key:
        return Place(not link.voided, None, sibling)
    replaced = link.key in built_on or link in ends
    return Place(False, winner.key[1] if replaced else None, sibling)


def _ancestors(key: Key, parents: Mapping[Key, Key]) -> set[Key]:
    """All that a record replaces, directly or through others; a circle ends where it began."""
    found: set[Key] = set()
    at = parents.get(key)
    while at is not None and at not in found and at != key:
        found.add(at)
        at = parents.get(at)
    return found
