"""Every figure opens: the page behind it says the same number, lists what it counts, and leads to records."""

import re
from html import unescape

import pytest

from tests.server.api.world import DISTRICT, TOWN, VILLAGE, World, add_staff

SUMS = re.compile(r"此数 (\S+) ＝ 明细合计 (\S+)，共 (\d+) 行")


def links(page: str) -> set[str]:
    return {unescape(each) for each in re.findall(r'href="(/figure\?[^"]+)"', page)}


@pytest.mark.parametrize("path", ["/", f"/?area={TOWN}&span=week", f"/?area={VILLAGE}"])
def test_every_figure_of_an_overview_opens_to_rows_that_sum_to_it(world: World, path: str) -> None:
    client = world.signed_in("dong")
    found = links(client.get(path).text)
    assert len(found) > 60
    for link in sorted(found):
        page = client.get(link)
        assert page.status_code == 200, link
        sums = SUMS.search(page.text)
        assert sums and sums[1] == sums[2], link


def test_a_share_shows_both_numbers_and_opens_each(world: World) -> None:
    client = world.signed_in("dong")
    page = client.get("/figure?indicator=A4").text
    assert "分子" in page and "分母" in page
    other = next(link for link in links(page) if "of=denominator" in link)
    assert "H2" in client.get(other).text


def test_rows_lead_to_their_unit_and_to_their_records(world: World) -> None:
    page = world.signed_in("dong").get("/figure?indicator=A2_visits").text
    assert f'href="/records/{world.ids["people"]}"' in page
    assert f'href="/households/H3?village={VILLAGE}"' in page


def test_duplicates_open_to_everything_that_they_count(world: World) -> None:
    page = world.signed_in("dong").get("/").text
    assert any("indicator=J4_duplicates" in link for link in links(page))


def test_a_village_shows_what_lies_in_no_grid_as_its_own_row(world: World) -> None:
    client = world.signed_in("dong")
    page = client.get(f"/?area={VILLAGE}").text
    assert "各网格" in page and "未注明网格或网格不明" in page
    assert any("grid=none" in link for link in links(page))
    assert "未注明网格或网格不明" in client.get(f"/figure?indicator=A1&area={VILLAGE}&grid=none").text


def test_who_may_not_read_records_finds_figures_without_links(world: World) -> None:
    with world.app.app_context():
        world.tokens["wang"] = add_staff(world.gridbook, "wang", "grid_volunteer", DISTRICT)
    client = world.signed_in("wang")
    assert links(client.get("/").text) == set()
    assert client.get("/figure?indicator=A3").status_code == 403


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/figure", 422, "indicator"),
        ("/figure?indicator=Z9", 404, "没有编号为 Z9 的指标"),
        ("/figure?indicator=D7", 422, "没有这样的数"),
        (f"/figure?indicator=A3&area={VILLAGE}&grid={VILLAGE}99", 404, "没有代码为"),
    ],
)
def test_a_wrong_address_is_answered_by_a_sentence(world: World, path: str, status: int, words: str) -> None:
    answer = world.signed_in("dong").get(path)
    assert answer.status_code == status and words in answer.text
