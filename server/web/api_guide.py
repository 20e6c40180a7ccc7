"""The API's calls as a plain page at /api/v1/, made from the description itself; nothing to load."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template

from server.web.pages import blueprint


@blueprint.get("/api/v1/")
def api_guide() -> str:
    return render_template("api_guide.html", calls=calls(description()))


def description() -> dict[str, Any]:
    spec: dict[str, Any] = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    return spec


def calls(described: dict[str, Any]) -> list[dict[str, Any]]:
    """[{method, path, summary, parameters:[{name, required, about}]}] by path."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "summary": call.get("summary", ""),
            "parameters": [
                _parameter(each) for each in call.get("parameters", []) + path_item.get("parameters", [])
            ],
        }
        for path, path_item in sorted(described["paths"].items())
        for method, call in path_item.items()
        if method in ("get", "post", "put", "delete")
    ]


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    about = parameter.get("description") or ", ".join(map(str, schema.get("enum", ())))
    return {"name": parameter["name"], "required": parameter.get("required", False), "about": about}
