"""Records for Excel and Power BI: OData v4, read only, always masked (docs/exports.md)."""

from flask import Flask


def register(app: Flask) -> None:
    from server.odata.service import blueprint

    app.register_blueprint(blueprint)
