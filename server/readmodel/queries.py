"""What pages and API ask of the read model. Values are raw: whoever shows them masks personal answers.

Lists come as `Page(items, next_cursor)`; a cursor fits only the query that gave it, else `BadCursor`; filters
that would read too much give `TooWide`. Shapes stand with each function.
"""

from server.readmodel.area_queries import (
    area,
    area_table,
    areas,
    district,
    figures,
    not_reached,
    points_at,
    points_overdue,
    roster_outstanding,
    trend,
    units_named,
    village_table,
    villages_reported,
    villages_status,
)
from server.readmodel.area_queries import list_units as units
from server.readmodel.behind_queries import behind, behind_total
from server.readmodel.disinfection_queries import (
    disinfection_figures,
    disinfection_table,
    disinfections,
    points,
    points_standing,
)
from server.readmodel.grids import NO_GRID
from server.readmodel.model import ReadModel
from server.readmodel.paging import BadCursor, Page
from server.readmodel.record_filters import RecordFilters
from server.readmodel.record_queries import (
    WORKED,
    compiled_forms,
    export_columns,
    export_of,
    export_rows,
    late_revisions,
    record,
)
from server.readmodel.record_queries import records_page as records
from server.readmodel.record_sides import counts_records
from server.readmodel.relief_queries import relief_entries, relief_figures, relief_table
from server.readmodel.sides import SIDES, SPANS, NoSuchSide, Side, side, sides_of
from server.readmodel.stock_queries import stores
from server.readmodel.suspect_queries import (
    PairFilters,
    decided_pairs,
    pair,
    suspected_pairs,
    suspected_pairs_of,
)
from server.readmodel.time_limit import TooWide


def version(rm: ReadModel) -> int:
    """Rises with each commit of the follower: for live pages and ETags."""
    return rm.version()


__all__ = [
    "NO_GRID",
    "SIDES",
    "SPANS",
    "WORKED",
    "BadCursor",
    "NoSuchSide",
    "Page",
    "PairFilters",
    "RecordFilters",
    "Side",
    "TooWide",
    "area",
    "area_table",
    "areas",
    "behind",
    "behind_total",
    "compiled_forms",
    "counts_records",
    "decided_pairs",
    "disinfection_figures",
    "disinfection_table",
    "disinfections",
    "district",
    "export_columns",
    "export_of",
    "export_rows",
    "figures",
    "late_revisions",
    "not_reached",
    "pair",
    "points",
    "points_at",
    "points_overdue",
    "points_standing",
    "record",
    "records",
    "relief_entries",
    "relief_figures",
    "relief_table",
    "roster_outstanding",
    "side",
    "sides_of",
    "stores",
    "suspected_pairs",
    "suspected_pairs_of",
    "trend",
    "units",
    "units_named",
    "version",
    "village_table",
    "villages_reported",
    "villages_status",
]
