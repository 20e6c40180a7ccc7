"""CouchDB's HTTP face for any store of `sync.store`."""

from sync.endpoint.application import mount
from sync.endpoint.errors import Unauthorized
from sync.endpoint.limits import Limits

__all__ = ["Limits", "Unauthorized", "mount"]
