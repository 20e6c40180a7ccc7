"""The WSGI entry: `gunicorn wsgi:application`; the `flask` command finds it too."""

from server.app import create_app

application = create_app()
