"""The API's description, worked out when somebody asks for it: that takes nearly as long as all else of a
start, and most processes (commands, intake) are never asked."""

from __future__ import annotations

import threading
from typing import Any

from apispec import APISpec
from flask_smorest import Api, Blueprint


class DescribedWhenAsked(Api):
    """An Api whose `spec` has the calls of its blueprints from the first look at it on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._waiting: list[Blueprint] = []
        self._describing = threading.RLock()
        super().__init__(*args, **kwargs)

    @property
    def spec(self) -> APISpec:
        with self._describing:
            waiting, self._waiting = self._waiting, []
            for blueprint in waiting:
                self._describe(blueprint)
        return self._spec

    @spec.setter
    def spec(self, made: APISpec) -> None:
        self._spec = made

    def register_blueprint(self, blp: Blueprint) -> None:
        """As flask-smorest does, but for the description."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp)
        self._waiting.append(blp)

    def _describe(self, blp: Blueprint) -> None:
        blp.register_views_in_doc(self, self._app, self._spec, name=blp.name, parameters=None)
        self._spec.tag({"name": blp.name, "description": blp.description})
