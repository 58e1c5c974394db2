"""The WSGI entry: `gunicorn wsgi:app`."""

from __future__ import annotations

from api import create_app
from api.envelope import configure_logs
from cdp.settings import read_settings

settings = read_settings()
configure_logs(settings.log_level)
app = create_app(settings)
