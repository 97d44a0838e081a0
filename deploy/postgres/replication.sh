#!/bin/bash
# Run once, when the primary's data directory is made: the role that replicas and backups log in as.
# On a primary that was made without it, the same by hand:
#   docker compose exec database bash /docker-entrypoint-initdb.d/replication.sh
#   docker compose exec database psql --username ochp_chs --command 'SELECT pg_reload_conf()'
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
    --set password="$REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
SQL
echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"
