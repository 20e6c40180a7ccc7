"""For every GET of the API's description a real question: a district with a frozen bulletin, an exception and
a superiors' list. A call whose path needs what is not here fails the tests that ask them all."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from tests.server.api.world import World, sample, today
from tests.server.lists import pushed


def prepared(world: World) -> dict[str, str]:
    """Makes what can be asked about; {name of a path's parameter: a real one}."""
    day = (today() - timedelta(days=1)).isoformat()
    bulletin = world.post("dong", "/api/v1/bulletins", json={"day": day})
    assert bulletin.status_code == 201, bulletin.text
    file = (io.BytesIO(pushed.file(pushed.workbook())), "名单.xlsx")
    made = world.post("dong", "/api/v1/lists?template=returnees", data={"file": file})
    list_id = world.done("dong", made)["made"]["list_id"]
    answer = world.post("dong", f"/api/v1/lists/{list_id}/answers", json={"reason": "按时反馈"})
    n = world.done("dong", answer)["made"]["answer"]
    for count in (4, 5):  # a household visited twice on a day
        name = "household_visit/pass/two_people"
        world.push(sample(name, device_id=world.device_id, household_id="H4", resident_count=count))
    world.follow()
    body = {"url": "https://cockpit.example.com/hook", "events": ["bulletin.frozen"], "areas": ["370304"]}
    webhook = world.post("admin", "/api/v1/webhooks", json=body)
    assert webhook.status_code == 201, webhook.text
    webhook_id = webhook.json["webhook_id"]
    assert world.post("admin", f"/api/v1/webhooks/{webhook_id}/test").status_code == 202
    job = world.post("dong", "/api/v1/jobs/exports", json={"form": "household_visit"})
    return {
        "job_id": world.done("dong", job)["job_id"],
        "webhook_id": webhook_id,
        "pair": world.get("dong", "/api/v1/duplicates").json["items"][0]["pair"],
        "staff_id": world.get("admin", "/api/v1/staff").json["items"][0]["staff_id"],
        "number": bulletin.json["number"],
        "list_id": list_id,
        "n": str(n),
        "record_id": world.ids["delivery"],
        "form_id": "household_visit",
        "indicator_id": "A3",
        "exception_id": world.get("dong", "/api/v1/exceptions").json["items"][0]["id"],
    }


# Where a path's parameter means something else than `prepared` names, and what a query cannot do without.
NAMED: dict[str, dict[str, str]] = {
    "/api/v1/records/{record_id}/attachments/{name}": {"name": "signature.png"},
    "/api/v1/registers/{name}": {"name": "households"},
    "/api/v1/registers/{name}/{unit_id}": {"name": "households", "unit_id": "H3"},
    "/api/v1/sheets/{name}.xlsx": {"name": "daily_towns"},
    "/api/v1/lists/{list_id}/rows/{number}": {"number": "3"},
}
QUERIES: dict[str, str] = {
    "/api/v1/figures/behind": "indicator=A3",
    "/api/v1/indicators/{indicator_id}/trend": f"from={today()}&to={today()}",
    "/api/v1/lists/{list_id}/answers/{n}/file": "reason=send+it+back",
}


ADMINISTRATORS = ("/api/v1/webhooks", "/api/v1/staff", "/api/v1/system")


def ask(
    world: World,
    path: str,
    ids: dict[str, str],
    who: str = "dong",
    query: Mapping[str, str] | None = None,
    **headers: str,
) -> Any:
    """The answer to the question that stands for a path of the description."""
    address = path
    for name, value in {**ids, **NAMED.get(path, {})}.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    assert "{" not in address, f"no example for a parameter of {path}"
    if path.startswith(ADMINISTRATORS) and who == "dong":
        who = "admin"
    if path == "/api/v1/device":
        headers["Authorization"] = f"Bearer {world.device_token}"
    more = f"{QUERIES.get(path, '')}&{urlencode(query or {})}".strip("&")
    return world.get(who, f"{address}?{more}", headers=headers)
