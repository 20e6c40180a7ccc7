"""Suspected duplicates by API and by page. Bai and Cun see the village, Ba works for another town."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.world import TOWN, VILLAGE, World, sample


@pytest.fixture
def twice(world: World) -> Iterator[tuple[str, str]]:
    """Two visits of H4 today, each with contact; of the second the name of the head is another."""
    made = [
        sample(
            "household_visit/pass/two_people",
            device_id=world.device_id,
            household_id="H4",
            resident_count=count,
        )
        for count in (4, 5)
    ]
    made[1]["answers"]["rep_person"][0]["person_name"] = "示范乙改"
    ids = (world.push(made[0]), world.push(made[1]))
    world.follow()
    yield ids
    for record_id in ids:  # the next test begins without them
        for status in ("accepted", "returned"):
            body = {"status": status, "comment": "清理"}
            world.post("bai", f"/api/v1/records/{record_id}/review", json=body)
    world.follow()


def pair_of(world: World, ids: tuple[str, str], state: str = "open") -> dict[str, Any]:
    items = world.get("bai", f"/api/v1/duplicates?state={state}&area={VILLAGE}").json["items"]
    (found,) = [item for item in items if {each["record_id"] for each in item["records"]} == set(ids)]
    return dict(found)


def test_a_pair_is_listed_masked_with_what_suspects_it(world: World, twice: tuple[str, str]) -> None:
    found = pair_of(world, twice)
    assert (found["rule"], found["unit_id"], found["village_code"]) == ("visited_twice", "H4", VILLAGE)
    assert found["why"]["zh"] == "同一户当日两次登记已联系上"
    assert "示范乙改" not in world.get("bai", f"/api/v1/duplicates/{found['pair']}").text
    one = world.get("bai", f"/api/v1/duplicates/{found['pair']}").json
    assert (one["open"], one["decision"]) == (True, None)


def test_a_merge_voids_the_other_and_the_second_clerk_is_told_what_was_decided(
    world: World, twice: tuple[str, str]
) -> None:
    first, second = twice
    path = f"/api/v1/duplicates/{pair_of(world, twice)['pair']}"
    body = {"decision": "merged", "keep": first, "comment": "两台手机都填了"}
    answer = world.post("bai", f"{path}/decision", json=body)
    assert answer.status_code == 202
    assert (answer.json["kept"], answer.json["voided"], answer.json["number"]) == (first, second, 1)
    # Before the follower saw it, and after.
    for _ in range(2):
        late = world.post("dong", f"{path}/decision", json={"decision": "kept_both"})
        assert late.status_code == 409
        assert late.json["code"] in ("pair-decided", "pair-gone")
        world.follow()
    record = world.get("bai", f"/api/v1/records/{second}").json
    assert record["void"]["duplicate_of"] == first and record["void"]["reason"] == "两台手机都填了"
    assert world.get("bai", f"/api/v1/records/{first}").json["effective"]
    decided = pair_of(world, twice, "decided")["decision"]
    assert (decided["decision"], decided["kept"]) == ("merged", first)


def test_two_clerks_at_once_get_one_decision(world: World, twice: tuple[str, str]) -> None:
    path = f"/api/v1/duplicates/{pair_of(world, twice)['pair']}/decision"
    assert world.post("bai", path, json={"decision": "kept_both"}).status_code == 202
    late = world.post("dong", path, json={"decision": "merged", "keep": twice[0]})
    assert (late.status_code, late.json["code"]) == (409, "pair-decided")
    assert "Bai" in late.json["detail"] and "两条都保留" in late.json["detail"]
    world.follow()
    again = world.post("dong", path, json={"decision": "merged", "keep": twice[0], "seen": 1})
    assert again.status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "burn"},
        {"decision": "merged"},
        {"decision": "merged", "keep": "record:of:nobody"},
        {"decision": "kept_both", "seen": 7},
        {"decision": "kept_both", "seen": -1},
        {"decision": "kept_both", "seen": "0"},
        {"decision": "kept_both", "comment": "x" * 501},
        {"decision": "kept_both", "more": 1},
    ],
)
def test_a_decision_that_decides_nothing_is_refused(
    world: World, twice: tuple[str, str], body: dict[str, Any]
) -> None:
    path = f"/api/v1/duplicates/{pair_of(world, twice)['pair']}"
    assert world.post("bai", f"{path}/decision", json=body).status_code == 422
    assert world.get("bai", path).json["decision"] is None


def test_who_may_not_see_or_decide_is_refused(world: World, twice: tuple[str, str]) -> None:
    path = f"/api/v1/duplicates/{pair_of(world, twice)['pair']}"
    body = {"decision": "kept_both"}
    assert world.get("cun", path).status_code == 200
    assert world.post("cun", f"{path}/decision", json=body).status_code == 403
    assert world.post(None, f"{path}/decision", json=body).status_code == 401
    assert world.get("ba", path).status_code == 404
    assert world.post("ba", f"{path}/decision", json=body).status_code == 404
    assert world.get("ba", "/api/v1/duplicates").json["items"] == []
    assert world.get("bai", "/api/v1/duplicates/nothing").status_code == 404
    assert world.get("admin", "/api/v1/duplicates").status_code == 403
    refused = world.get("bai", "/api/v1/duplicates?cursor=nonsense")
    assert (refused.status_code, refused.json["code"]) == (422, "bad-cursor")


def test_a_clerk_compares_and_merges_on_the_page(world: World, twice: tuple[str, str]) -> None:
    first, second = twice
    client = world.signed_in("bai")
    pair = pair_of(world, twice)["pair"]
    assert f"/duplicates/{pair}" in client.get(f"/duplicates?town={TOWN}&rule=visited_twice").text
    assert f"/duplicates/{pair}" in client.get(f"/records/{first}").text
    page = client.get(f"/duplicates/{pair}").text
    cell = '<td class="changed">[45]</td>'
    assert re.search(f"当前在家居住人数.*?</th>{cell}{cell}", page)
    assert "有改动（内容已隐去）" in page and "示范乙改" not in page
    assert "见到本人" not in page and "见到本人" in client.get(f"/duplicates/{pair}?rows=all").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {"decision": "merged", "keep": second, "seen": "0", "comment": "", "csrf_token": token[1]}
    assert client.post(f"/duplicates/{pair}/decision", data={**form, "csrf_token": ""}).status_code == 403
    assert client.post(f"/duplicates/{pair}/decision", data={**form, "decision": "burn"}).status_code == 422
    answer = client.post(f"/duplicates/{pair}/decision", data=form, follow_redirects=True)
    assert "已合并" in answer.text
    late = client.post(f"/duplicates/{pair}/decision", data=form, follow_redirects=True)
    assert "您的决定没有执行" in late.text
    world.follow()
    page = client.get(f"/records/{first}").text
    assert "重复填报" in page and f'href="/records/{second}"' in page
    assert "现在没有可决定的" in client.get(f"/duplicates/{pair}").text
    assert pair in client.get("/duplicates?state=decided").text
    assert pair not in client.get("/duplicates").text
