"""The client and the notebook of docs/examples/, against a server that they reach over HTTP."""

import json
import re
import runpy
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import matplotlib
import pytest

from tests.server.api.world import DISTRICT, ROOT, VILLAGE, World, today
from tests.servers import served

EXAMPLES = ROOT / "docs" / "examples"
STATUSES: list[int] = []
RETURNED = {"status": "returned", "comment": "浓度请再核对"}


class Counted:
    """The app, and the statuses that it answers with."""

    def __init__(self, world: World) -> None:
        self._app = world.app

    def __call__(self, environ, start_response):
        def start(status: str, *more):
            STATUSES.append(int(status[:3]))
            return start_response(status, *more)

        return self._app(environ, start)


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    with served(Counted(world)) as url:
        yield url


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, world: World, url: str) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setenv("GRIDBOOK_URL", url)
    monkeypatch.setenv("GRIDBOOK_TOKEN", world.tokens["dong"])
    STATUSES.clear()


@pytest.fixture
def module(environment: None) -> ModuleType:
    import client

    return client


@pytest.fixture
def client(module: ModuleType, world: World, url: str):
    return module.Client(url, world.tokens["dong"])


def test_the_week_ends_with_the_figure_of_its_last_day(client, world: World) -> None:
    week = client.week(["A3", "C1"], today())
    figures = client.figures(DISTRICT, today())
    assert len(week["A3"]) == 7 and list(week["A3"])[-1] == today().isoformat()
    assert week["A3"][today().isoformat()] == figures["A3"]["value"] > 0
    assert week["C1"][today().isoformat()] == figures["C1"]["value"]


def test_an_answer_that_has_not_changed_is_not_sent_again(client) -> None:
    assert client.figures() == client.figures()
    assert STATUSES == [200, 304]


def test_only_so_many_answers_are_kept_and_no_page_of_a_list(client, module: ModuleType) -> None:
    list(client.pages("records", limit=1))
    assert not client._known
    for number in range(module.KNOWN_MAX + 3):
        client.figures(DISTRICT, today() - timedelta(days=number))
    assert len(client._known) == module.KNOWN_MAX
    STATUSES.clear()
    client.figures(DISTRICT, today() - timedelta(days=module.KNOWN_MAX))
    client.figures(DISTRICT, today())
    assert STATUSES == [304, 200]


def test_what_waits_for_a_correction_is_told_by_its_kind(client, world: World) -> None:
    world.post("dong", f"/api/v1/records/{world.ids['spray']}/review", json=RETURNED)
    world.follow()
    assert [each["record_id"] for each in client.waiting()] == [world.ids["too_hot"]]
    assert [each["record_id"] for each in client.waiting("returned")] == [world.ids["spray"]]


def test_a_bulletin_is_frozen_once_and_saved(
    client, module: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = today() - timedelta(days=1)
    assert client.bulletin("preview", day)["provisional"] is True
    assert module.main(["freeze", day.isoformat()]) == 0
    (head,) = client.bulletins()
    assert (head["day"], client.bulletin(head["number"])["damage"]) == (day.isoformat(), None)
    assert head["number"] in capsys.readouterr().out
    paper = tmp_path / "bulletin.pdf"
    assert module.main(["bulletin", head["number"], "--to", str(paper)]) == 0
    assert paper.read_bytes().startswith(b"%PDF-")
    with pytest.raises(module.Problem) as second:
        client.freeze(day)
    assert second.value.code == "bulletin-exists"


def test_records_come_from_every_page_and_once(client) -> None:
    whole = [each["record_id"] for each in client.records()]
    piecewise = [each["record_id"] for each in client.pages("records", limit=1)]
    assert len(set(whole)) == len(whole) > 1
    assert piecewise == whole
    assert {each["village_code"] for each in client.records(area=VILLAGE)} == {VILLAGE}


def test_a_csv_is_saved_whole_or_not_at_all(client, module: ModuleType, world: World, tmp_path: Path) -> None:
    size = client.save_csv("household_visit", tmp_path / "visits.csv")
    with pytest.raises(module.Problem, match="nope"):
        client.save_csv("nope", tmp_path / "nope.csv")
    assert [each.name for each in tmp_path.iterdir()] == ["visits.csv"]
    saved = (tmp_path / "visits.csv").read_bytes()
    assert len(saved) == size
    assert saved == world.get("dong", "/api/v1/export/household_visit.csv").data


def test_a_download_that_breaks_off_leaves_nothing_and_says_so(
    module: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_half() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nrecord_id")

        thread = threading.Thread(target=answer_half)
        thread.start()
        monkeypatch.setenv("GRIDBOOK_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert module.main(["csv", "household_visit", "--to", str(tmp_path / "visits.csv")]) == 1
        thread.join()
    assert "broke off, nothing was kept" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_answer_without_what_is_expected_is_no_missing_setting(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.Client, "get", lambda *_, **__: {})
    with pytest.raises(KeyError, match="items"):
        module.main(["week"])


def test_a_refusal_is_told_in_words_with_its_code(client, module: ModuleType, url: str) -> None:
    with pytest.raises(module.Problem, match="No form is called nope") as refused:
        client.get("forms/nope")
    assert (refused.value.status, refused.value.code) == (404, "unknown-form")
    with pytest.raises(module.Problem, match="valid API token") as stranger:
        module.Client(url, "nobody").figures()
    assert stranger.value.status == 401


def test_the_command_prints_the_week_as_a_table(
    module: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert module.main(["week", "--indicators", "A3", "--last", today().isoformat()]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split("\t")[-1] == today().isoformat()[5:]
    assert row.startswith("A3 Households contacted\t") and len(row.split("\t")) == 8


def test_the_command_says_in_one_line_what_went_wrong(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert module.main(["week", "--indicators", "ZZ"]) == 1
    monkeypatch.delenv("GRIDBOOK_TOKEN")
    assert module.main(["week"]) == 1
    unknown, unset = capsys.readouterr().err.splitlines()
    assert "ZZ" in unknown and "GRIDBOOK_TOKEN" in unset


def test_the_notebook_is_stored_without_answers_and_draws_the_week(
    tmp_path: Path, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = json.loads((EXAMPLES / "week.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) >= (4, 5)  # from there on cells have ids
    assert notebook["metadata"]["language_info"]["name"] == "python"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each) for each in ids)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    script = tmp_path / "week.py"
    script.write_text("\n".join("".join(cell["source"]) for cell in cells), encoding="utf-8")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    try:
        drawn = runpy.run_path(str(script))
        bars = [bar.get_height() for bar in drawn["axes"].flat[0].patches]
        assert bars == [value or 0 for value in drawn["week"]["A3"].values()]
        assert bars[-1] > 0
        assert [label.get_text() for label in drawn["axis"].get_yticklabels()] == ["域城镇", "白塔镇"]
    finally:
        pyplot.close("all")
        sys.modules.pop("client", None)
