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


def spoilt(*path):
    """A change that sets the last of `path` where the others lead."""
    *steps, last, value = path

    def change(content) -> None:
        for step in steps:
            content = content[step]
        content[last] = value

    return change


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (
            "indicators.json",
            spoilt("components", "visits", "where", "${visit_resutl} = 'met'"),
            "indicators.json, component visits: no question is called visit_resutl",
        ),
        (
            "indicators.json",
            spoilt("components", "visits", "where", "${visit_result} ="),
            "indicators.json, component visits: ",
        ),
        (
            "indicators.json",
            spoilt("components", "persons_with_fever_new", "where", "${fevre} = 'yes'"),
            "component persons_with_fever_new: no question is called fevre",
        ),
        (
            "indicators.json",
            spoilt("units", "household", "forms", "household_visit", "house_id"),
            "unit household: the form household_visit asks no house_id",
        ),
        (
            "indicators.json",
            spoilt("units", "household", "keep", ["visit_reslut"]),
            "unit household: none of its forms asks visit_reslut",
        ),
        (
            "indicators.json",
            spoilt("indicators", 0, "group", "visit"),
            "indicators.json: indicator A1: there is no group visit",
        ),
        ("indicators.json", spoilt("groups", 0, "lead", "C1"), "group visits: C1 is not an indicator"),
        ("indicators.json", lambda content: content.pop("groups"), 'indicators.json: it needs "groups": […]'),
        (
            "cross_rules.json",
            spoilt("rules", 0, "value", "${q_fevre}"),
            "cross_rules.json, rule fever_disputed: no question is called q_fevre",
        ),
        (
            "exceptions.json",
            spoilt("exceptions", 0, "component", "fevers"),
            "exceptions.json, fever_not_referred: there is no component fevers",
        ),
        (
            "exceptions.json",
            spoilt("exceptions", 0, "source", "rumour"),
            "exceptions.json: fever_not_referred: a source is one of",
        ),
        ("bulletin/layout.json", lambda layout: layout.pop("towns"), "bulletin/layout.json: "),
    ],
)
def test_what_is_misspelt_beside_the_forms_is_told_and_nothing_is_published(
    store, folder, name, change, words
) -> None:
    edit(folder / name, change)
    assert words in refusals(store, folder)
    assert "catalogue" not in store.names()


@pytest.mark.parametrize(
    "name", ["indicators.json", "cross_rules.json", "exceptions.json", "bulletin/layout.json"]
)
@pytest.mark.parametrize("content", [None, "{", "[]", '{"rules": 3}', "[" * 100_000])
def test_a_file_beside_the_forms_that_cannot_be_read_is_named(store, folder, name, content) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content, "utf-8")
    assert name.rpartition("/")[2] in refusals(store, folder)
