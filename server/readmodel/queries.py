"""What pages and API ask of the read model. Values are raw: whoever shows them masks personal answers.

Lists come as `Page(items, next_cursor)`; a cursor fits only the query that gave it, else `BadCursor`. Shapes
stand with each function.
"""

from server.readmodel.area_queries import (
    area,
    area_table,
    areas,
    district,
    figures,
    not_reached,
    points_overdue,
    roster_outstanding,
    trend,
    units_named,
    village_table,
    villages_status,
)
from server.readmodel.area_queries import list_units as units
from server.readmodel.declaration import default_declaration as indicators
from server.readmodel.model import ReadModel
from server.readmodel.paging import BadCursor, Page
from server.readmodel.record_queries import (
    WORKED,
    RecordFilters,
    compiled_forms,
    export_columns,
    export_of,
    export_rows,
    late_revisions,
    record,
)
from server.readmodel.record_queries import records_page as records


def version(rm: ReadModel) -> int:
    """Rises with each commit of the follower: for live pages and ETags."""
    return rm.version()


__all__ = [
    "WORKED",
    "BadCursor",
    "Page",
    "RecordFilters",
    "area",
    "area_table",
    "areas",
    "compiled_forms",
    "district",
    "export_columns",
    "export_of",
    "export_rows",
    "figures",
    "indicators",
    "late_revisions",
    "not_reached",
    "points_overdue",
    "record",
    "records",
    "roster_outstanding",
    "trend",
    "units",
    "units_named",
    "version",
    "village_table",
    "villages_status",
]
