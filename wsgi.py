"""The WSGI entry: `gunicorn wsgi:application`; the `flask` command finds it too."""

import sys

from server.app import create_app
from server.settings import SettingsError
from sync.embedded import UnusableStore

try:
    application = create_app()
except (SettingsError, UnusableStore) as error:
    sys.exit(str(error))
