"""The formats of an export: one table, for API, page and jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from server.exports import csv_file, geojson_file, parquet_file, xlsx_file
from server.exports.asked import Table


def _nothing_missing() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Format:
    """`write` gives the file in pieces; only `whole` formats hold the repeats beside the records. `missing`
    tells how to install what is not there. `words` are (zh, en)."""

    name: str
    suffix: str
    media_type: str
    words: tuple[str, str]
    write: Callable[[Sequence[Table]], Iterator[bytes]]
    rows_max: int | None = None
    whole: bool = False
    missing: Callable[[], str | None] = _nothing_missing


GEOJSON = "application/geo+json"
FORMATS = {
    each.name: each
    for each in (
        Format("csv", "csv", "text/csv; charset=utf-8", ("CSV", "CSV"), csv_file.write),
        Format(
            "xlsx",
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ("Excel 工作簿", "Excel workbook"),
            xlsx_file.write,
            rows_max=xlsx_file.ROWS_MAX,
            whole=True,
        ),
        Format("geojson", "geojson", GEOJSON, ("GeoJSON（WGS-84）", "GeoJSON (WGS-84)"), geojson_file.write),
        Format(
            "geojson-gcj02",
            "geojson",
            GEOJSON,
            ("GeoJSON（GCJ-02，国内地图用）", "GeoJSON (GCJ-02, for Chinese maps)"),
            geojson_file.write_gcj02,
        ),
        Format(
            "parquet",
            "parquet",
            "application/vnd.apache.parquet",
            ("Parquet", "Parquet"),
            parquet_file.write,
            missing=parquet_file.missing,
        ),
    )
}
