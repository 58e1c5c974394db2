"""What gunicorn reads when it is started here without --config: the settings of `api.serving`."""

from api.serving import (  # noqa: F401  gunicorn reads the names
    accesslog,
    bind,
    control_socket_disable,
    graceful_timeout,
    keepalive,
    loglevel,
    max_requests,
    max_requests_jitter,
    on_reload,
    post_worker_init,
    preload_app,
    threads,
    timeout,
    worker_class,
    workers,
    wsgi_app,
)
