"""What a principal may do with one database."""

from __future__ import annotations

import enum


class Access(enum.Flag):
    """READ reads documents and changes; PUSH is what a push target needs and reads no document; ADMIN is
    everything.

    READ and PUSH both read and write local documents of their own, never those of another writer.
    """

    NONE = 0
    READ = enum.auto()
    PUSH = enum.auto()
    ADMIN = enum.auto()
