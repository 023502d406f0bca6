#!/bin/sh
# As the official image does it: makes a cluster where there is none, then becomes what it was asked to run.
set -e
data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
    initdb -D "$data" -U "$POSTGRES_USER" -A "$POSTGRES_HOST_AUTH_METHOD" -E UTF8 --locale=C --no-sync
    echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >> "$data/pg_hba.conf"
fi
exec "$@" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
