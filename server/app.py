"""The Flask app: settings and stores are opened, then every part registers itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask, current_app
from werkzeug.middleware.proxy_fix import ProxyFix

from server import datafolder, headers
from server.database import open_engine
from server.jobs.queue import Queue
from server.json_provider import FastJson
from server.people.people import People
from server.readmodel import ReadModel
from server.readmodel.declaration import Declaration
from server.settings import Settings
from sync import couchdb, embedded, endpoint
from sync.store import Store


@dataclass(frozen=True, slots=True)
class Gridbook:
    """What the parts of one running server share."""

    settings: Settings
    store: Store
    people: People
    readmodel: ReadModel
    jobs: Queue

    @property
    def declaration(self) -> Declaration:
        """What is counted. Raises DeclarationError."""
        return self.readmodel.declaration


def gridbook() -> Gridbook:
    """The Gridbook of the current app."""
    shared: Gridbook = current_app.extensions["gridbook"]
    return shared


def create_app(settings: Settings | None = None) -> Flask:
    """The app over the data folder of `settings`; without them, of the environment. Raises SettingsError."""
    return make_app(open_gridbook(settings or Settings.from_environ(os.environ)))


def make_app(shared: Gridbook) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.extensions["gridbook"] = shared
    _configure(app, shared.settings)
    headers.register(app, shared.settings)
    _register_parts(app)
    return app


def open_gridbook(settings: Settings) -> Gridbook:
    """Open, and at first start make, everything in the data folder."""
    datafolder.prepare(settings.data)
    with datafolder.start_lock(settings.data):
        shared = _gridbook(settings, open_store(settings))
        shared.people.create()
        shared.readmodel.create()
        shared.jobs.create()
    return shared


def made_gridbook(settings: Settings) -> Gridbook:
    """What another process has opened before, for one that will fork: nothing is opened before it is used."""
    return _gridbook(settings, open_store(settings, is_made=True))


def open_store(settings: Settings, *, is_made: bool = False) -> Store:
    """The document store that the settings name."""
    if settings.store_is_embedded:
        return embedded.open_store(settings.store_file, is_made=is_made)
    return couchdb.open_store(settings.store_url)


def _gridbook(settings: Settings, store: Store) -> Gridbook:
    people = People(open_engine(settings.people_url), datafolder.secret_key(settings.data))
    jobs = Queue(settings.data, timedelta(hours=settings.job_keep_hours))
    readmodel = ReadModel(open_engine(settings.database_url), settings.forms)
    return Gridbook(settings, store, people, readmodel, jobs)


def _configure(app: Flask, settings: Settings) -> None:
    app.secret_key = datafolder.secret_key(settings.data)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json = FastJson(app)
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _register_parts(app: Flask) -> None:
    """Plain imports, here because the parts import `gridbook` from this file."""
    import server.api
    import server.backup_commands
    import server.bulletins.commands
    import server.errors
    import server.forms.commands
    import server.intake.commands
    import server.jobs.commands
    import server.lists.commands
    import server.odata
    import server.people.commands
    import server.phone
    import server.prepare
    import server.probes
    import server.register.commands
    import server.store_commands
    import server.store_copying
    import server.web
    import server.workbooks.commands

    _mount_sync(app, app.extensions["gridbook"])
    for part in (
        server.api,
        server.web,
        server.odata,
        server.phone,
        server.probes,
        server.errors,
        server.people.commands,
        server.register.commands,
        server.forms.commands,
        server.intake.commands,
        server.jobs.commands,
        server.lists.commands,
        server.bulletins.commands,
        server.workbooks.commands,
        server.store_commands,
        server.store_copying,
        server.backup_commands,
        server.prepare,
    ):
        part.register(app)


def _mount_sync(app: Flask, shared: Gridbook) -> None:
    from server.people import permissions, syncing

    endpoint.mount(
        app,
        "/sync",
        shared.store,
        syncing.identifier(shared.people, shared.settings.sync_admin),
        permissions.sync_access,
        on_contact=syncing.contact_noter(shared.people),
        limits=endpoint.Limits(body_bytes_max=shared.settings.max_body_bytes),
        headers=headers.of_sync(shared.settings),
    )
