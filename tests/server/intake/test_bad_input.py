"""Whatever a device pushes: intake goes on, and everything ends in a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.readmodel import queries
from server.readmodel.queries import RecordFilters
from tests.server.intake.district import ALPHA, DAY, District, delivery, disinfection, visit

TEXT = st.text(max_size=8) | st.sampled_from(
    ["\0", "😀", "a/b", "_x", "=1+1", "𠮷", "", "9" * 300, "2020-02-30", "-0", "NaN"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """A good record with some values, anywhere in it, replaced by anything."""
    record = draw(
        st.sampled_from([visit(1), visit(1, fever="yes"), visit(None), disinfection(1), delivery(1)])
    )
    record = json.loads(json.dumps(record))
    record["_id"] = record["_id"][:-8] + f"{draw(st.integers(0, 16**8 - 1)):08x}"
    for _ in range(draw(st.integers(1, 4))):
        places = [(record, name) for name in record if name != "_id"]
        answers = record.get("answers")
        if isinstance(answers, dict):
            places += [(answers, name) for name in answers]
            rows = [
                row
                for value in answers.values()
                if isinstance(value, list)
                for row in value
                if isinstance(row, dict)
            ]
            places += [(row, name) for row in rows for name in row]
        place, name = draw(st.sampled_from(places))
        place[name] = draw(JSON)
    return record


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
) -> Iterator[District]:
    district = District(tmp_path_factory.mktemp("bad"), url=new_database(request.param))
    yield district
    district.close()


def expect_judged(district: District, doc_id: str) -> None:
    verdict = district.register(ALPHA).get(f"verdict:{doc_id}")
    assert verdict["status"] in ("accepted", "accepted_with_warnings", "quarantined")
    assert (verdict["status"] == "quarantined") == any(
        problem["severity"] == "E" for problem in verdict["problems"]
    )


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(docs=st.lists(spoilt(), min_size=1, max_size=6, unique_by=lambda doc: str(doc["_id"])))
def test_a_spoilt_record_ends_in_a_verdict(shared: District, docs: list[dict[str, Any]]) -> None:
    shared.send(*docs, village=ALPHA, phone="phone-a")
    shared.intake()
    for doc in docs:
        expect_judged(shared, str(doc["_id"]))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    doc=st.dictionaries(TEXT.filter(lambda name: not name.startswith("_")), JSON, max_size=5),
    doc_id=st.text(min_size=1, max_size=20).filter(lambda name: not name.startswith("_")),
)
def test_what_is_no_record_at_all_is_quarantined(shared: District, doc: dict[str, Any], doc_id: str) -> None:
    inbox = shared.store.open(f"inbox-{ALPHA}")
    row = inbox.bulk_docs([{**doc, "_id": doc_id, "_rev": "1-abc"}], new_edits=False, writer="device:phone-a")
    shared.intake()
    if not any("error" in one for one in row):
        expect_judged(shared, doc_id)


@pytest.mark.parametrize(
    "doc",
    [
        {"_id": "record:household_visit:20200210:" + "a" * 450, "type": "record"},
        {"_id": "x" * 4096},
        {**visit(1), "remark": "长" * 900_000},
        {**visit(1), "answers": {f"q{number}": number for number in range(20_000)}},
        {**visit(1), "answers": {"rep_person": [{}] * 5000}},
        {**visit(1), "supersedes": "y" * 5000},
        {**visit(1), "clock_skew_s": 2**63, "captured_at": "9999-12-31T23:59:59+00:00", "filler_id": "?"},
        {**visit(1), "work_date": "0001-01-01"},
        {"_id": "_design/views", "views": {"a": {"map": "function(){}"}}},
    ],
    ids=[
        "long id",
        "long bad id",
        "long text",
        "many answers",
        "many rows",
        "long supersedes",
        "huge number",
        "first day",
        "design",
    ],
)
def test_what_is_huge_or_at_the_edge_stops_nothing(district: District, doc: dict[str, Any]) -> None:
    row = district.store.open(f"inbox-{ALPHA}").bulk_docs(
        [{**doc, "_rev": "1-abc"}], new_edits=False, writer="device:phone-a"
    )
    good = visit(2)
    district.send(good)
    district.intake()
    assert district.verdict(good)["status"] == "accepted"
    if not any("error" in one for one in row):
        listed = queries.records(district.readmodel, RecordFilters(status="quarantined")).items
        assert len(listed) == 1
    assert queries.figures(district.readmodel, ALPHA, DAY, ["A2"])["A2"]["value"] == 1


def test_a_document_nested_as_deep_as_the_store_takes_is_quarantined(district: District) -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    district.send({**visit(1), "answers": {"household_id": deep, "deep": deep}})
    district.intake()
    assert len(queries.records(district.readmodel, RecordFilters(status="quarantined")).items) == 1
