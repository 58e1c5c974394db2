"""A throw-away PostgreSQL cluster of the system's own binaries, for as long as the tests run.

It listens on a socket in a directory of its own and nowhere else, syncs nothing, and is gone afterwards.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

OLDEST_VERSION = 15
START_SECONDS = 120
# Whatever is lost in a crash is lost gladly.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "log_min_messages": "fatal",
}

SHAPE = """
SELECT (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
         WHERE relnamespace = 'public'::regnamespace),
       (SELECT string_agg(version_num, ' ') FROM cdp_schema_version)
"""
# Whoever still holds a connection, and so perhaps a lock, loses it first.
EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'cdp_schema_version'
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    PERFORM setval(seqrelid, 1, false) FROM pg_sequence;
END $$
"""


class NoPostgresError(Exception):
    """There is no PostgreSQL to test with; the message says why."""


@dataclass(frozen=True)
class Cluster:
    directory: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://cdp@/{database}?host={self.directory}"

    def execute(self, statement: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(statement)

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.directory), user="cdp", dbname=database, autocommit=True)

    def shape(self, database: str) -> str:
        """The names of all that is in a database, and the version it says it has."""
        with self.connect(database) as connection:
            return str(connection.execute(SHAPE).fetchone())

    def empty(self, database: str, shape: str | None = None) -> bool:
        """Take out all rows and begin all numbers anew: 20 ms, where a new database takes 300.

        Does nothing to a database of another shape, and says so.
        """
        with self.connect(database) as connection:
            if shape is not None and str(connection.execute(SHAPE).fetchone()) != shape:
                return False
            connection.execute(EMPTY)
            return True

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(START_SECONDS)
        shutil.rmtree(self.directory, ignore_errors=True)


def find_binaries() -> Path:
    """The directory of the newest server binaries: on the path, in the distribution's place, by pg_config."""
    found = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    found += Path("/usr/lib/postgresql").glob("*/bin")
    found += Path("/usr").glob("pgsql-*/bin")
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
        found.append(Path(told.stdout.strip() or "/"))
    whole = {each.resolve() for each in found if (each / "initdb").exists() and (each / "postgres").exists()}
    versions = sorted((_version(each), each) for each in whole)
    if not versions:
        raise NoPostgresError("no PostgreSQL server binaries here: tests/install_servers.sh installs them")
    if versions[-1][0] < OLDEST_VERSION:
        raise NoPostgresError(f"PostgreSQL {versions[-1][0]} is older than {OLDEST_VERSION}")
    return versions[-1][1]


def start_cluster() -> Cluster:
    """Raises NoPostgresError when there is none to start."""
    binaries = find_binaries()
    user = _unprivileged_user()
    directory = Path(tempfile.mkdtemp(prefix="cdp-postgres-", dir="/tmp"))  # A socket's path must be short.
    if user is not None:
        shutil.chown(directory, user.pw_uid, user.pw_gid)
    cluster = directory / "data"
    made = _run_as(
        user,
        [
            binaries / "initdb",
            "-D",
            cluster,
            "-U",
            "cdp",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ],
        directory,
    )
    if made.wait(START_SECONDS) != 0:
        shutil.rmtree(directory)
        raise NoPostgresError("initdb failed; run the tests as another user")
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    server = _run_as(user, [binaries / "postgres", "-D", cluster, "-k", directory, *settings], directory)
    started = Cluster(directory, server)
    _await_answer(started)
    return started


def _version(binaries: Path) -> int:
    told = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False)
    number = re.search(r"(\d+)", told.stdout)
    return int(number.group(1)) if number else 0


def _unprivileged_user() -> pwd.struct_passwd | None:
    """The server refuses to run as root: who it runs as instead, None for the user we are."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgresError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _run_as(
    user: pwd.struct_passwd | None, command: list[str | Path], directory: Path
) -> subprocess.Popen[bytes]:
    log = (directory / "log").open("ab")
    with log:
        return subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Away from the terminal's group: an interrupt is for the tests, which then stop the server.
            start_new_session=True,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )


def _await_answer(cluster: Cluster) -> None:
    last_moment = time.monotonic() + START_SECONDS
    while True:
        try:
            cluster.execute("SELECT 1")
        except psycopg.OperationalError as error:
            if cluster.process.poll() is not None or time.monotonic() > last_moment:
                log = (cluster.directory / "log").read_text(errors="replace")[-2000:]
                cluster.process.kill()
                shutil.rmtree(cluster.directory, ignore_errors=True)
                raise NoPostgresError(f"PostgreSQL did not start: {log}") from error
            time.sleep(0.05)
        else:
            return
