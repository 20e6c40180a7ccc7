"""Parts of the product that show what a declaration counts: without it they are not there."""

from __future__ import annotations

from server.readmodel import disinfection_queries, relief_queries, stock_queries
from server.readmodel.declaration import Declaration

NEEDED = {
    "relief": relief_queries.INDICATORS,
    "disinfection": disinfection_queries.INDICATORS,
    "stock": stock_queries.INDICATORS,
}
HOUSEHOLDS = "households"


def is_counted(declaration: Declaration, part: str) -> bool:
    """Whether there is anything for relief, disinfection, stock, or (visits to) households to show."""
    if part == HOUSEHOLDS:
        return any(each.settles and each.unit == "household" for each in declaration.components.values())
    return declaration.indicators.keys() >= set(NEEDED[part])
