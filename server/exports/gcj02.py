"""WGS-84 to GCJ-02, the shifted coordinates of Chinese maps (Amap, Tencent).

The transform that everybody uses; it is not official and its inverse has no closed form. Outside China, which
is taken as a rectangle, maps are not shifted.
"""

from __future__ import annotations

from math import cos, pi, radians, sin, sqrt

SEMI_MAJOR_AXIS_M = 6378245.0  # Krasovsky 1940
ECCENTRICITY_SQUARED = 0.00669342162296594323
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271


def from_wgs84(lon: float, lat: float) -> tuple[float, float]:
    """Degrees to degrees, (lon, lat)."""
    if not (WEST <= lon <= EAST and SOUTH <= lat <= NORTH):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    squeezed = 1 - ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2
    north_m, east_m = _north(x, y), _east(x, y)
    north = (
        north_m * 180 / (SEMI_MAJOR_AXIS_M * (1 - ECCENTRICITY_SQUARED) / (squeezed * sqrt(squeezed)) * pi)
    )
    east = east_m * 180 / (SEMI_MAJOR_AXIS_M / sqrt(squeezed) * cos(radians(lat)) * pi)
    return lon + east, lat + north


def _north(x: float, y: float) -> float:
    shift = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    shift += (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    shift += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    return shift + (160.0 * sin(y / 12.0 * pi) + 320 * sin(y * pi / 30.0)) * 2.0 / 3.0


def _east(x: float, y: float) -> float:
    shift = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    shift += (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    shift += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    return shift + (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
