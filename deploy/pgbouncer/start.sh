#!/bin/sh
# Write what this installation has of its own, then become PgBouncer.
#   PRIMARY, REPLICA    hosts of PostgreSQL; without a REPLICA reads go to the PRIMARY too
#   POSTGRES_PASSWORD   of the user ochp_chs, there and here
set -eu
umask 077
: "${PRIMARY:?host of the primary}" "${POSTGRES_PASSWORD:?password of ochp_chs}"

# A quote within quotes is written twice.
password=$(printf %s "$POSTGRES_PASSWORD" | sed 's/"/""/g')
printf '"ochp_chs" "%s"\n' "$password" > userlist.txt
cat > installation.ini <<INI
[databases]
ochp_chs = host=$PRIMARY dbname=ochp_chs
ochp_chs_read = host=${REPLICA:-$PRIMARY} dbname=ochp_chs
INI
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
