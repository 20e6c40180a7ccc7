"""Stubs: attachments that a document names without their content, because the store has it already.

CouchDB takes a stub's name for its content, whatever digest the stub declares, and in a replicated revision
demands the same `revpos`. Here a stub means the content with its digest: what an ancestor has, else what
another revision of the document has; what is nowhere is refused rather than replaced by something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sync.incoming import Incoming, IncomingAttachment
from sync.store import Doc, MissingStub

ANCESTORS_ASKED_MAX = 20

OpenRevs = Callable[[str, Sequence[str] | None], list[dict[str, Any]]]


def has_stubs(incoming: Incoming) -> bool:
    return any(attachment.data is None for attachment in incoming.attachments)


def check(incoming: Incoming, kept: Mapping[str, Mapping[str, Any]]) -> None:
    """An edit's stubs against `kept`, the `_attachments` of the edited revision. Raises MissingStub."""
    for attachment in incoming.attachments:
        if attachment.data is None:
            _matching(attachment, [kept])


def filled(doc: Mapping[str, Any], incoming: Incoming, open_revs: OpenRevs) -> Doc:
    """The replicated `doc` with the contents that its stubs mean. `open_revs` must bring data. Raises
    MissingStub.
    """
    near = open_revs(incoming.id, incoming.path[1 : 1 + ANCESTORS_ASKED_MAX])
    all_kept = [
        one["ok"].get("_attachments", {}) for one in [*near, *open_revs(incoming.id, None)] if "ok" in one
    ]
    attachments = dict(doc["_attachments"])
    for attachment in incoming.attachments:
        if attachment.data is None:
            attachments[attachment.name] = dict(_matching(attachment, all_kept))
    return {**doc, "_attachments": attachments}


def _matching(
    stub: IncomingAttachment, all_kept: Iterable[Mapping[str, Mapping[str, Any]]]
) -> Mapping[str, Any]:
    for kept in all_kept:
        found = kept.get(stub.name)
        if found is not None and _is_meant(stub, found):
            return found
    raise MissingStub(f"Invalid attachment stub in document for {stub.name}")


def _is_meant(stub: IncomingAttachment, found: Mapping[str, Any]) -> bool:
    """CouchDB gives `revpos` 0 to what was replicated without one, so the digest decides where it is told."""
    if stub.digest is not None:
        return bool(stub.digest == found.get("digest"))
    return stub.revpos in (None, found.get("revpos"))
