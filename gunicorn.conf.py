"""gunicorn's settings, taken from Gridbook's own; and the two errands that run beside its workers."""

from server.worker import cooperation

cooperation.begin()  # before the imports below, and before the app's

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from functools import partial  # noqa: E402

from server import serving  # noqa: E402
from server.binding import check_binding, check_port  # noqa: E402
from server.settings import Settings, SettingsError, authority  # noqa: E402
from server.supervisor import ERRANDS, die_with_parent, intake, jobs  # noqa: E402
from server.worker.places import places_possible  # noqa: E402

try:
    _settings = Settings.from_environ(os.environ)
    check_binding(_settings)
except SettingsError as _error:
    sys.exit(str(_error))

wsgi_app = "wsgi:application"
bind = authority(_settings.host, _settings.port)
workers = _settings.workers + ERRANDS
worker_class = "server.worker.Worker"  # gevent: who waits has no thread
worker_connections = places_possible()
timeout = 60
graceful_timeout = 10
keepalive = 100  # CouchDB's replicator uses a connection again that was idle for up to 90 s
accesslog = None  # addresses hold names of villages and records
errorlog = "-"
loglevel = "warning"
proc_name = "gridbook"
control_socket_disable = True


def on_starting(server):
    try:
        if server.cfg.workers != workers:
            raise SettingsError(["Set GRIDBOOK_WORKERS instead of gunicorn's own number of workers."])
        if _settings.greeting:
            check_port(_settings)
        serving.begin(_settings)
    except SettingsError as error:
        sys.exit(str(error))


def when_ready(server):
    server.app.callable = serving.preload(_settings)  # instead of what each worker would import


def on_reload(server):
    for supervisor in (intake, jobs):
        supervisor.before_reload()


def pre_fork(server, worker):
    app = server.app.wsgi()
    intake.before_fork(server, worker, partial(serving.follow, app.extensions["gridbook"]))
    jobs.before_fork(server, worker, partial(serving.do_jobs, app))


def post_fork(server, worker):
    worker.listen_to_master()
    # A master that was killed would leave workers on the port, and its successor could not start.
    die_with_parent(signal.SIGKILL, worker.ppid)


def child_exit(server, worker):
    for supervisor in (intake, jobs):
        supervisor.after_exit(worker)


def post_worker_init(worker):
    if _settings.greeting and worker.age == 1:
        from server.prepare import greet

        greet(worker.wsgi.extensions["gridbook"])
