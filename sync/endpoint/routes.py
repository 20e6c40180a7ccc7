"""What can be asked of the endpoint, and the access that each call takes. ADMIN may do everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from flask import Response

from sync.access import Access
from sync.endpoint import (
    all_docs_calls,
    attachment_calls,
    changes_calls,
    database_calls,
    document_calls,
    id_pages,
    local_calls,
    replication_calls,
    server_calls,
)
from sync.endpoint.call import Call
from sync.endpoint.errors import MethodNotAllowed
from sync.endpoint.id_pages import IdPages

READ, PUSH, ADMIN = Access.READ, Access.PUSH, Access.ADMIN


@dataclass(frozen=True)
class Route:
    """Any one of `needs` is enough."""

    needs: Access
    handle: Callable[[Call], Response]

    @cached_property
    def allows(self) -> int:
        """As a number, because every request asks."""
        return (self.needs | Access.ADMIN).value


def _by_id(name: str, needs: Access, pages: IdPages) -> dict[str, dict[str, Route]]:
    def route_to(handle: Callable[[Call, IdPages], Response]) -> Route:
        return Route(needs, lambda call: handle(call, pages))

    return {
        name: {"GET": route_to(all_docs_calls.get), "POST": route_to(all_docs_calls.post)},
        f"{name}/queries": {"POST": route_to(all_docs_calls.queries)},
    }


ROUTES: dict[str, dict[str, Route]] = {
    "_active_tasks": {"GET": Route(ADMIN, server_calls.active_tasks)},
    "_all_dbs": {"GET": Route(ADMIN, server_calls.all_dbs)},
    "_dbs_info": {
        "GET": Route(ADMIN, server_calls.all_infos),
        "POST": Route(ADMIN, server_calls.infos),
    },
    "_session": {method: Route(ADMIN, server_calls.session) for method in ("GET", "POST", "DELETE")},
    "_uuids": {"GET": Route(ADMIN, server_calls.uuids)},
    "_up": {"GET": Route(ADMIN, server_calls.up)},
    "server": {},
    "database": {
        "GET": Route(READ | PUSH, database_calls.info),
        "PUT": Route(ADMIN, database_calls.create),
        "DELETE": Route(ADMIN, database_calls.delete),
        "POST": Route(PUSH, database_calls.add_document),
    },
    **_by_id("_all_docs", READ, id_pages.ALL_DOCS),
    **_by_id("_design_docs", READ, id_pages.DESIGN_DOCS),
    **_by_id("_local_docs", ADMIN, id_pages.LOCAL_DOCS),
    "_bulk_docs": {"POST": Route(PUSH, replication_calls.bulk_docs)},
    "_bulk_get": {"POST": Route(READ, replication_calls.bulk_get)},
    "_changes": {"GET": Route(READ, changes_calls.get), "POST": Route(READ, changes_calls.post)},
    "_compact": {"POST": Route(ADMIN, database_calls.compact)},
    "_ensure_full_commit": {"POST": Route(READ | PUSH, database_calls.ensure_full_commit)},
    "_explain": {"POST": Route(READ, database_calls.mango)},
    "_find": {"POST": Route(READ, database_calls.mango)},
    "_index": {method: Route(READ, database_calls.mango) for method in ("GET", "POST", "DELETE")},
    "_missing_revs": {"POST": Route(PUSH, replication_calls.missing_revs)},
    "_revs_diff": {"POST": Route(PUSH, replication_calls.revs_diff)},
    "_revs_limit": {
        "GET": Route(ADMIN, database_calls.revs_limit),
        "PUT": Route(ADMIN, database_calls.set_revs_limit),
    },
    "_security": {"GET": Route(ADMIN, database_calls.security)},
    "_temp_view": {"POST": Route(READ, database_calls.temp_view)},
    "_view_cleanup": {"POST": Route(ADMIN, database_calls.view_cleanup)},
    "document": {
        "GET": Route(READ, document_calls.get),
        "PUT": Route(PUSH, document_calls.put),
        "DELETE": Route(ADMIN, document_calls.delete),
    },
    "attachment": {
        "GET": Route(READ, attachment_calls.get),
        "PUT": Route(PUSH, attachment_calls.put),
        "DELETE": Route(ADMIN, attachment_calls.delete),
    },
    "local": {
        "GET": Route(READ | PUSH, local_calls.get),
        "PUT": Route(READ | PUSH, local_calls.put),
        "DELETE": Route(READ | PUSH, local_calls.delete),
    },
    "functions": {method: Route(READ, document_calls.functions) for method in ("GET", "POST", "PUT")},
}


def route(kind: str, method: str) -> Route:
    methods = ROUTES[kind]
    found = methods.get("GET" if method == "HEAD" else method)
    if found is None:
        raise MethodNotAllowed(sorted({"HEAD", *methods} if "GET" in methods else methods))
    return found
