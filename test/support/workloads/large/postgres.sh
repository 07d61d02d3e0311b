#!/bin/sh
# PostgreSQL with a cluster of its own below /data, and a session beside it that writes a numbered row five times a second.
#
#     postgres.sh PORT ROWS
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
export PGHOST=/tmp PGPORT="$1" PGDATABASE=postgres
cluster=/data/cluster

if [ ! -e $cluster/PG_VERSION ]; then
  initdb --no-sync --auth=trust --locale=C.UTF-8 --encoding=UTF8 $cluster > /tmp/initdb.log
  echo 'host all all all trust' >> $cluster/pg_hba.conf
fi
postgres -D $cluster -c listen_addresses='*' -c unix_socket_directories=/tmp &
until pg_isready --quiet; do sleep 0.1; done
psql --quiet -c "create table memory as select n, md5(n::text) as text from generate_series(1, $2) n" \
  -c 'create table ticks (n serial, backend int default pg_backend_pid())'
psql --quiet -c "do \$\$ begin loop insert into ticks default values; commit; perform pg_sleep(0.2); end loop; end \$\$"
