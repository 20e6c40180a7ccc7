import json
import shutil
from pathlib import Path

import pytest

from server.forms.publish import PublishRefused, publish
from sync.embedded import open_store
from tests.servers import ROOT


@pytest.fixture
def store(tmp_path: Path):
    store = open_store(tmp_path / "store.sqlite3")
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "forms", tmp_path / "forms"))


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def refusals(store, folder: Path) -> str:
    with pytest.raises(PublishRefused) as refused:
        publish(store, folder)
    return "\n".join(refused.value.complaints)


def test_the_forms_of_the_project_are_published(store, folder) -> None:
    outcomes = publish(store, folder).outcomes
    assert outcomes == dict.fromkeys(
        [
            "form:disinfection_log:1",
            "form:household_visit:1",
            "form:stock_movement:1",
            "form:supply_delivery:1",
            "settings:district",
        ],
        "added",
    )
    form = store.open("catalogue").get("form:household_visit:1")
    assert (form["type"], form["form_id"], form["version"]) == ("form", "household_visit", "1")
    assert form["survey"]
    settings = store.open("catalogue").get("settings:district")
    assert settings["fever_threshold"] == 37.3
    assert settings["district"] == {"code": "370304", "zh": "博山区", "en": "Boshan District"}
    assert "about" not in settings


def test_publishing_again_changes_nothing(store, folder) -> None:
    publish(store, folder)
    before = store.open("catalogue").info()["update_seq"]
    assert set(publish(store, folder).outcomes.values()) == {"unchanged"}
    assert store.open("catalogue").info()["update_seq"] == before


def test_a_changed_form_needs_a_new_version(store, folder) -> None:
    publish(store, folder)
    edit(folder / "household_visit.json", lambda form: form["settings"]["title"].update(zh="入户走访"))
    assert "household_visit: version 1 is published and differs" in refusals(store, folder)
    assert 'raise "version"' in refusals(store, folder)
    edit(folder / "household_visit.json", lambda form: form["settings"].update(version="2"))
    assert publish(store, folder).outcomes["form:household_visit:2"] == "added"
    assert store.open("catalogue").get("form:household_visit:1")["title"]["zh"] == "入户走访登记"


def test_a_form_that_merely_compiles_otherwise_is_written_again(store, folder) -> None:
    publish(store, folder)
    catalogue = store.open("catalogue")
    catalogue.put(catalogue.get("form:household_visit:1") | {"order": []}, writer="server")
    assert publish(store, folder).outcomes["form:household_visit:1"] == "changed"
    assert catalogue.get("form:household_visit:1")["order"]


def test_a_changed_setting_is_published(store, folder) -> None:
    publish(store, folder)
    edit(folder / "settings.json", lambda settings: settings.update(fever_threshold=37.5))
    assert publish(store, folder).outcomes["settings:district"] == "changed"


def test_all_errors_are_listed_and_nothing_is_published(store, folder) -> None:
    edit(
        folder / "household_visit.json",
        lambda form: form["survey"].append({"type": "colour", "name": "x", "label": {}}),
    )
    edit(folder / "settings.json", lambda settings: settings.pop("district"))
    (folder / "disinfection_log.json").write_text("{", "utf-8")
    (folder / "list.json").write_text("[]", "utf-8")
    (folder / "deep.json").write_text("[" * 100_000, "utf-8")
    shutil.copy(folder / "supply_delivery.json", folder / "twin.json")
    complaints = refusals(store, folder)
    for words in (
        "household_visit.json, ",
        'settings.json: "district" needs',
        "disinfection_log.json: not valid JSON",
        "list.json: the file should hold one JSON object",
        "deep.json: not valid JSON",
        "form:supply_delivery:1 is defined by two files",
    ):
        assert words in complaints
    assert "catalogue" not in store.names()


def test_a_folder_without_forms_is_refused(store, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    complaints = refusals(store, tmp_path / "empty")
    assert "envelope.json: there is no such file" in complaints
    assert "there is no form in this folder" in complaints
