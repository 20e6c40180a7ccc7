"""What the head of an answer tells besides its body: where it is now, whether it is known already."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.test import TestResponse

Ask = Callable[..., TestResponse]

HERE = "http://localhost/sync/"


def test_what_was_written_says_where_it_is(admin: Ask) -> None:
    rev = admin("PUT", "/open/a", {}).json["rev"]
    for path, where in {
        "/a%2Fb": "a%2Fb",
        "/open/x y": "open/x%20y",
        "/open/_design%2Fd": "open/_design%2Fd",
        "/open/_local/l": "open/_local%2Fl",
        f"/open/a/p/%C3%A9?rev={rev}": "open/a/p%2F%C3%A9",
    }.items():
        assert admin("PUT", path, {}).headers["Location"] == HERE + where
    posted = admin("POST", "/open", {"n": 1})
    assert posted.headers["Location"] == HERE + "open/" + posted.json["id"]


def test_a_deletion_is_no_creation(admin: Ask) -> None:
    rev = admin("PUT", "/open/a", {}).json["rev"]
    deleted = admin("PUT", "/open/a", {"_rev": rev, "_deleted": True})
    assert (deleted.status_code, deleted.headers["ETag"]) == (200, f'"{deleted.json["rev"]}"')
    assert admin("PUT", "/open/b", {"_rev": "1-b", "_deleted": True}).status_code == 409


def test_the_tag_of_an_attachment_is_never_its_documents_revision(admin: Ask) -> None:
    written = admin("PUT", "/open/a/p", data=b"x", content_type="text/plain")
    assert "ETag" not in written.headers
    assert "ETag" not in admin("DELETE", f"/open/a/p?rev={written.json['rev']}").headers


def test_a_checkpoint_that_is_known_is_not_sent_again(admin: Ask) -> None:
    written = admin("PUT", "/open/_local/l", {"n": 1})
    tag = written.headers["ETag"]
    assert admin("GET", "/open/_local/l").headers["ETag"] == tag
    assert admin("GET", "/open/_local/l", headers={"If-None-Match": tag}).status_code == 304
    admin("DELETE", "/open/_local/l")
    admin("PUT", "/open/_local/l", {"n": 2})
    again = admin("GET", "/open/_local/l", headers={"If-None-Match": tag})
    assert (again.json["_rev"], again.json["n"]) == ("0-1", 2)


def test_what_a_question_may_not_keep_is_not_kept(admin: Ask) -> None:
    assert admin("GET", "/_uuids").headers["Cache-Control"] == "no-cache"
    answer = admin("GET", "/open/_changes?feed=eventsource&timeout=0")
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_revision_that_is_named_tells_nothing_of_the_others(admin: Ask) -> None:
    docs = [{"_id": "a", "_rev": rev} for rev in ("1-a", "1-b")]
    admin("POST", "/open/_bulk_docs", {"docs": docs, "new_edits": False})
    more = "conflicts=true&revs_info=true"
    assert admin("GET", f"/open/a?{more}").json["_conflicts"] == ["1-a"]
    named = admin("GET", f"/open/a?rev=1-b&{more}")
    assert (named.json, named.headers["ETag"]) == ({"_id": "a", "_rev": "1-b"}, '"1-b"')
    leaves = admin("GET", f"/open/a?open_revs=all&{more}", headers={"Accept": "application/json"})
    assert sorted(leaf["ok"]["_rev"] for leaf in leaves.json) == ["1-a", "1-b"]
    assert all(len(leaf["ok"]) == 2 for leaf in leaves.json)
