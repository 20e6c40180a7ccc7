"""The CouchDB store: every database in a CouchDB 3.3 or later, single or cluster, behind this server."""

from sync.couchdb.address import Address, BadAddress
from sync.store import Store

__all__ = ["Address", "BadAddress", "open_store"]


def open_store(address: str) -> Store:
    """The store at `couchdb+https://user:password@host[:port][/prefix]`. Raises BadAddress. Nothing is
    asked of CouchDB yet: a server starts while its CouchDB is down, and answers 503 until it is up.
    """
    # Settings read addresses before gevent makes sockets and TLS cooperative; what holds those comes later.
    from sync.couchdb.store import CouchStore

    return CouchStore(Address.parse(address))
