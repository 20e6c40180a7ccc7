"""Records that have arrived and have no verdict yet: counted by village, however often one asks."""

from __future__ import annotations

from server.intake.unjudged import unjudged
from tests.server.intake.district import ALPHA, BETA, District, on_both, visit


def waiting(district: District) -> dict[str, int]:
    return {village: each.records for village, each in unjudged(district.store, district.readmodel).items()}


@on_both
def test_what_arrives_waits_in_its_village_until_it_is_judged(district: District) -> None:
    district.intake()
    assert waiting(district) == {}
    district.send(visit(1), visit(2), visit(1, code=BETA))
    assert waiting(district) == waiting(district) == {ALPHA: 2, BETA: 1}
    oldest = unjudged(district.store, district.readmodel)[ALPHA].oldest_received_at
    assert oldest is not None and oldest.startswith("20")
    district.intake()
    assert waiting(district) == {}
    district.send(visit(3))
    assert waiting(district) == {ALPHA: 1}


@on_both
def test_tables_that_are_made_anew_leave_everything_to_be_judged(district: District) -> None:
    district.send(visit(1))
    district.intake()
    assert waiting(district) == {}
    district.readmodel.drop()
    district.readmodel.create()
    assert waiting(district) == {ALPHA: 1}
