#!/bin/bash
# A streaming replica: copies the primary at its first start, then follows it.
#   PRIMARY, REPLICATION_PASSWORD    see deploy/postgres/replication.sh
# One that was left too far behind is made anew: stop it, remove its volume, start it.
set -euo pipefail
umask 077

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    # What an interrupted copy left.
    find "$PGDATA" -mindepth 1 -delete
    PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup \
        --dbname="host=$PRIMARY user=replicator application_name=replica" --pgdata="$PGDATA" \
        --write-recovery-conf --wal-method=stream --checkpoint=fast
fi
# Feedback: what a long download still reads is not cleaned away on the primary.
exec postgres -c hot_standby_feedback=on -c max_standby_streaming_delay=5min "$@"
