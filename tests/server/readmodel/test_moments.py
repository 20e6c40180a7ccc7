"""When something happened, by the phone's clock and the server's."""

import pytest

from server.readmodel.moments import claimed_moment, is_day, true_moment

RECEIVED = "2020-02-10T04:00:00.000Z"


@pytest.mark.parametrize(
    ("claimed", "skew_s", "found"),
    [
        ("2020-02-10T11:30:00+08:00", None, "2020-02-10T03:30:00.000Z"),
        ("2020-02-10T11:30:00.1234+08:00", None, "2020-02-10T03:30:00.123Z"),
        ("2020-02-10T11:30:00", None, "2020-02-10T03:30:00.000Z"),
        ("2020-02-10T11:30:00+08:00", 60, "2020-02-10T03:29:00.000Z"),
        ("2020-02-10T12:30:00+08:00", None, RECEIVED),
        ("2020-02-10T12:30:00+08:00", 3600, "2020-02-10T03:30:00.000Z"),
        ("yesterday", None, RECEIVED),
        (None, 5, "2020-02-10T03:59:55.000Z"),
    ],
)
def test_a_record_happened_when_its_phone_says_but_not_after_it_was_received(
    claimed: str | None, skew_s: int | None, found: str
) -> None:
    assert true_moment(claimed, skew_s, RECEIVED) == found


def test_between_records_the_phones_claim_counts_even_if_it_lies_in_the_future() -> None:
    assert claimed_moment("2030-02-10T12:30:00+08:00", None) == "2030-02-10T04:30:00.000Z"
    assert claimed_moment("2030-02-10T12:30:00+08:00", 60) == "2030-02-10T04:29:00.000Z"
    assert claimed_moment("soon", None) is None


@pytest.mark.parametrize("text", ["2020-02-30", "20200210", "2020-2-10", "2020-02-10 ", None, 20200210])
def test_what_is_no_day_is_none(text: object) -> None:
    assert not is_day(text)
