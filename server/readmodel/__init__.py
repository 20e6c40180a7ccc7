"""The read model: SQL tables shaped for reading, derived from the document store and made again from it at
will."""

from server.readmodel.model import ReadModel

__all__ = ["ReadModel"]
