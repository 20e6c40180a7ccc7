"""The shift of Chinese maps, against the points that implementations of it publish (eviltransform)."""

import pytest

from server.exports.gcj02 import from_wgs84

PUBLISHED = {
    "Shanghai": ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    "Shenzhen": ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    "Beijing": ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
}
ABROAD = {
    "London": (-0.1276, 51.5072),
    "Sydney": (151.2093, -33.8688),
    "New York": (-74.006, 40.7128),
    "nowhere": (0.0, 0.0),
}


@pytest.mark.parametrize("place", PUBLISHED)
def test_a_published_point_is_shifted_as_everybody_shifts_it(place: str) -> None:
    wgs84, shifted = PUBLISHED[place]
    assert from_wgs84(*wgs84) == pytest.approx(shifted, abs=1e-9)


@pytest.mark.parametrize("place", ABROAD)
def test_a_point_outside_china_stays(place: str) -> None:
    assert from_wgs84(*ABROAD[place]) == ABROAD[place]
