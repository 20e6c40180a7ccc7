"""Photos and signatures over the API: Bai reviews records of the town, Cun reads his village's only."""

from tests.server.api.world import World


def test_a_signature_comes_as_it_was_sent_for_those_who_review(world: World) -> None:
    path = f"/api/v1/records/{world.ids['delivery']}/attachments/signature.png"
    answer = world.get("bai", path)
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert answer.data.startswith(b"\x89PNG") and "sandbox" in answer.headers["Content-Security-Policy"]
    again = world.get("bai", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert world.get("cun", path).json["code"] == "forbidden"
    assert world.get("ba", path).json["code"] == "unknown-record"
    assert world.get(None, path).status_code == 401


def test_an_attachment_that_is_not_there_is_a_404(world: World) -> None:
    for name in ("photo.png", "..%2f..%2fsecret.key", "%00"):
        answer = world.get("dong", f"/api/v1/records/{world.ids['delivery']}/attachments/{name}")
        assert (answer.status_code, answer.json["code"]) == (404, "unknown-attachment")
    answer = world.get("dong", "/api/v1/records/nobody/attachments/signature.png")
    assert answer.json["code"] == "unknown-record"
