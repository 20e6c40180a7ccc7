"""The API put together: blueprints, description, security schemes."""

from __future__ import annotations

from flask import Flask

from server.api import (
    areas,
    attachments,
    behind,
    bulletins,
    disinfection,
    duplicates,
    exceptions,
    exports,
    forms,
    jobs,
    lists,
    phones,
    records,
    registers,
    relief,
    sheets,
    staff,
    stock,
    system,
    villages,
    webhooks,
)
from server.api.described import DescribedWhenAsked
from server.api.description import Descriptions
from server.people import api as enrolment

DESCRIPTION = """\
Everything that the staff pages show, for programs. Send an API token as `Authorization: Bearer …`, or use
the session of the pages
(then a request that changes something carries the page's token in `X-CSRF-Token`).

Errors are problem details (RFC 9457), worded in the language of `Accept-Language` (zh or en). Lists are
read page by page with `cursor`.
Answers carry an `ETag`; ask again with `If-None-Match` and get 304 while nothing moved. Where one has none,
`x-without-etag` says why.
Names, phones, document numbers and addresses are masked unless `unmask=1` is asked for with a reason, which
is put on record.
"""

SECURITY_SCHEMES = {
    "apiToken": {"type": "http", "scheme": "bearer", "description": "An API token of a staff member."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "gridbook_session",
        "description": "The session of the staff pages.",
    },
    "deviceToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A device's token; only for /api/v1/device.",
    },
}


def mount(app: Flask) -> None:
    app.config.update(
        API_TITLE="Gridbook",
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = DescribedWhenAsked(
        app, spec_kwargs={"info": {"description": DESCRIPTION}, "extra_plugins": [Descriptions()]}
    )
    for name, scheme in SECURITY_SCHEMES.items():
        api.spec.components.security_scheme(name, scheme)
    api.spec.options["security"] = [{"apiToken": []}, {"session": []}]
    parts = (
        areas,
        behind,
        bulletins,
        disinfection,
        exceptions,
        forms,
        records,
        duplicates,
        attachments,
        registers,
        relief,
        stock,
        phones,
        exports,
        jobs,
        sheets,
        villages,
        lists,
        webhooks,
        staff,
        system,
        enrolment,
    )
    for part in parts:
        api.register_blueprint(part.blp)
