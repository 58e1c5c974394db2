"""gunicorn's settings, from the environment: `gunicorn --config python:api.serving wsgi:app`."""

from __future__ import annotations

import os
from typing import Any

from api import metric_files
from api.memory import collect_rarely
from cdp.settings import read_settings
from cdp.supervise import renew_worker

_settings = read_settings()

wsgi_app = "wsgi:app"
bind = _settings.bind
worker_class = "api.http_worker.ProblemWorker"
workers = _settings.worker_count or min(4, max(2, os.cpu_count() or 2))
threads = _settings.thread_count
# Each worker opens the store itself: an open database does not survive a fork.
preload_app = False
timeout = 60
graceful_timeout = 30
keepalive = 5
# Workers end one after the other, so that memory that a library leaks comes back.
max_requests = 100_000
max_requests_jitter = 20_000
loglevel = "warning" if _settings.log_level in ("warning", "error") else "info"
# The API writes a line a request itself, without addresses or values.
accesslog = None
control_socket_disable = True

when_ready = metric_files.make_directory
pre_fork = metric_files.give_slot
post_fork = metric_files.count_in_files
child_exit = metric_files.end_gauges
on_exit = metric_files.remove_directory


def post_worker_init(worker: Any) -> None:
    collect_rarely()


def on_reload(server: Any) -> None:
    renew_worker()
