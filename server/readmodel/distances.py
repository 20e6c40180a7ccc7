"""How far positions lie apart on the ground."""

from __future__ import annotations

import math
from collections.abc import Sequence

EARTH_RADIUS_M = 6_371_000
Position = tuple[float, float]  # latitude, longitude, in degrees


def distance_m(a: Position, b: Position) -> float:
    """Along the sphere (haversine)."""
    north_a, north_b = math.radians(a[0]), math.radians(b[0])
    half = math.sin((north_b - north_a) / 2) ** 2
    half += math.cos(north_a) * math.cos(north_b) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def box_m(positions: Sequence[Sequence[float]]) -> float:
    """The diagonal of the box from the least to the greatest latitude and longitude; 0 for one position."""
    norths, easts = [each[0] for each in positions], [each[1] for each in positions]
    return distance_m((min(norths), min(easts)), (max(norths), max(easts)))
