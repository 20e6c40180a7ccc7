"""GeoJSON (RFC 7946): a feature for each row at the place where the record was taken, its other columns as
properties. A position that is masked or absent is null, and the feature stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from server.exports import gcj02
from server.exports.asked import Table
from server.exports.columns import DOC, FIXED, Column
from server.exports.json_cells import JsonCells
from server.exports.lines import Lines, Write
from server.readmodel import codec

Shift = Callable[[float, float], tuple[float, float]]
DECIMALS = 7  # a centimetre

_BEGIN = '{"type":"Feature",'
_END = "}}"


class _Features(JsonCells):
    def __init__(self, first_property: str, shift: Shift | None) -> None:
        self._first, self._shift = first_property, shift

    def cell(self, column: Column) -> Write:
        if column.kind == "geometry":
            return lambda value: self.name(column) + codec.encode(_geometry(value, self._shift))
        return super().cell(column)

    def name(self, column: Column) -> str:
        name = super().name(column)
        return '"properties":{' + name if column.name == self._first else name


def write(tables: Sequence[Table]) -> Iterator[bytes]:
    """The first table, in WGS-84."""
    return _written(tables[0], None, "")


def write_gcj02(tables: Sequence[Table]) -> Iterator[bytes]:
    """The first table, shifted for Chinese maps; the file says so."""
    return _written(tables[0], gcj02.from_wgs84, '"coordinate_system":"GCJ-02",')


def _written(table: Table, shift: Shift | None, remark: str) -> Iterator[bytes]:
    yield ('{"type":"FeatureCollection",' + remark + '"features":[').encode()
    lines = Lines(_columns(table), table.names, _Features(table.columns[0].name, shift)).lines
    before = "\n"
    for page in table.pages():
        if features := lines(page):
            yield (before + _BEGIN + f"{_END},\n{_BEGIN}".join(features) + _END).encode()
            before = ",\n"
    yield b"\n]}\n"


def _columns(table: Table) -> list[Column]:
    """The position of the record is the geometry and none of the properties."""
    part = FIXED if "gps" in table.names else DOC
    properties = [column for column in table.columns if column.name not in ("gps.lat", "gps.lon")]
    return [Column("geometry", part, "gps", "geometry", hidden=not table.in_full), *properties]


def _geometry(position: Any, shift: Shift | None) -> dict[str, Any] | None:
    if not isinstance(position, dict):
        return None
    lon: Any = position.get("lon")
    lat: Any = position.get("lat")
    if not (_within(lon, 180) and _within(lat, 90)):
        return None
    if shift is not None:
        lon, lat = shift(lon, lat)
    return {"type": "Point", "coordinates": [round(lon, DECIMALS), round(lat, DECIMALS)]}


def _within(degrees: Any, most: int) -> bool:
    return type(degrees) in (int, float) and abs(degrees) <= most
