"""CouchDB's HTTP face for any store of `sync.store`."""

from sync.endpoint.blueprint import make_blueprint
from sync.endpoint.errors import Unauthorized
from sync.endpoint.limits import Limits

__all__ = ["Limits", "Unauthorized", "make_blueprint"]
