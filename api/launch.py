"""Start gunicorn whatever the working directory holds: `python -P -m api.launch`.

gunicorn puts the working directory before everything else that can be imported, so a `wsgi.py`, `api.py` or
`flask.py` that lies there would be served, or break the service, in place of what is installed.
"""

from __future__ import annotations

import os

from gunicorn.app.wsgiapp import WSGIApplication


class InstalledApplication(WSGIApplication):
    """gunicorn's own application, importing only what is installed."""

    def chdir(self) -> None:
        os.chdir(self.cfg.chdir)


def main() -> None:
    """Reads gunicorn's options from the command line."""
    InstalledApplication("%(prog)s [OPTIONS]", prog="gunicorn").run()


if __name__ == "__main__":
    main()
