#!/bin/sh
# Installs what tests run beside the package, when it is missing and when it may: the PostgreSQL server that half of the
# store's tests run on, and Chromium for the console's. It never fails the build: without them those tests are skipped,
# and say so.

has_server() {
    for directory in $(printf '%s' "$PATH" | tr ':' ' ') /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
        if [ -x "$directory/initdb" ] && [ -x "$directory/postgres" ]; then
            return 0
        fi
    done
    return 1
}

has_browser() {
    for name in chromium chromium-browser google-chrome-stable google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}

missing=""
has_server || missing="PostgreSQL"
has_browser || missing="${missing:+$missing and }Chromium"
if [ -z "$missing" ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "$missing: not installed and may not be installed here, the tests that need it will be skipped." >&2
    exit 0
fi
echo "Installing $missing for the tests." >&2
DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND
apt-get update -qq >/dev/null 2>&1
if ! has_server; then
    {
        # The server alone: no cluster of the system's own is made or started. A configuration there already stays.
        if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
            mkdir -p /etc/postgresql-common &&
                echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
        fi
        apt-get install -qq -y --no-install-recommends -o Dpkg::Options::=--force-confold postgresql
    } >/dev/null 2>&1
fi
if ! has_browser; then
    # With a font: pages are looked at.
    apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null 2>&1
fi
has_server || echo "PostgreSQL could not be installed: its tests will be skipped." >&2
has_browser || echo "Chromium could not be installed: the console is not tried in a browser." >&2
exit 0
