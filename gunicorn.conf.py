"""gunicorn's settings, taken from Gridbook's own; and the two that run beside the workers:
the intake follower and the one that does jobs."""

import os
import signal
import sys
from pathlib import Path

from server import serving
from server.binding import check_binding, check_port
from server.settings import Settings, SettingsError, authority
from server.supervisor import Supervisor, die_with_parent

try:
    _settings = Settings.from_environ(os.environ)
    check_binding(_settings)
    if _settings.greeting:
        check_port(_settings)
except SettingsError as _error:
    sys.exit(str(_error))

wsgi_app = "wsgi:application"
bind = authority(_settings.host, _settings.port)
workers = _settings.workers
worker_class = "server.worker.Worker"  # gevent: a waiting longpoll is a greenlet, not a thread
worker_connections = 1000
timeout = 60
graceful_timeout = 10
keepalive = 30
accesslog = None  # addresses hold names of villages and records
errorlog = "-"
loglevel = "warning"
proc_name = "gridbook"
control_socket_disable = True

_FLASK = [sys.executable, "-m", "flask", "--app", str(Path(__file__).with_name("wsgi.py"))]
_follower = Supervisor([*_FLASK, "intake", "follow"])
_jobs = Supervisor(["nice", *_FLASK, "jobs", "work"])  # phones and pages come first


def on_starting(server):
    try:
        serving.begin(_settings)
    except SettingsError as error:
        sys.exit(str(error))


def when_ready(server):
    _follower.start()
    _jobs.start()


def post_fork(server, worker):
    # A master that was killed would leave workers on the port, and its successor could not start.
    die_with_parent(signal.SIGKILL, worker.ppid)


def post_worker_init(worker):
    if _settings.greeting and worker.age == 1:
        # The app must not be imported before the worker has made blocking calls cooperative.
        from server.prepare import greet

        greet(worker.wsgi.extensions["gridbook"])


def on_exit(server):
    _jobs.stop()
    _follower.stop()
