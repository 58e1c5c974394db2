#!/bin/sh
# Installs the PostgreSQL server that half of the store's tests run on, when it is missing and when it may.
# It never fails the build: without a server those tests are skipped, and say so.

has_server() {
    for directory in $(printf '%s' "$PATH" | tr ':' ' ') /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
        if [ -x "$directory/initdb" ] && [ -x "$directory/postgres" ]; then
            return 0
        fi
    done
    return 1
}

if has_server; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "PostgreSQL is not installed and may not be installed here: its tests will be skipped." >&2
    exit 0
fi
echo "Installing PostgreSQL for the tests." >&2
DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND
{
    # The server alone: no cluster of the system's own is made or started. A configuration there already stays.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common &&
            echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    fi
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends -o Dpkg::Options::=--force-confold postgresql
} >/dev/null 2>&1
if ! has_server; then
    echo "PostgreSQL could not be installed: its tests will be skipped." >&2
fi
exit 0
