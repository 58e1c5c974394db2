"""Whether an address can be listened on, asked before anything else is done or told."""

from __future__ import annotations

import errno
import socket

import click

PORT_AT_MOST = 65_535


def require_free(address: str) -> None:
    """Raises ClickException when nothing can listen on HOST:PORT; gunicorn judges addresses of other forms."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        return
    if int(port) > PORT_AT_MOST:
        raise click.ClickException(f"Cannot listen on {address}: the last port is {PORT_AT_MOST}.")
    try:
        found = socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as listening:
            # As gunicorn does: a connection that was just closed does not hold the port.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {address}: {_reason(error)}.") from error


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program does; end it, or choose another port with PORT or --bind"
    return error.strerror or str(error)
