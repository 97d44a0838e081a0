#!/bin/bash
# PostgreSQL's archive_command: archive.sh %p %f. Keeps a finished piece of the write-ahead log, of
# 16 MiB, compressed in $ARCHIVE; what is not empty is on disk before PostgreSQL is told so.
set -euo pipefail
target=${ARCHIVE:-/archive}/$2.gz

if [ -e "$target" ]; then
    # After a crash PostgreSQL sends a piece again; another one by the same name is an alarm.
    gzip --decompress --stdout "$target" | cmp --silent - "$1"
    exit
fi
gzip --fast --stdout "$1" > "$target.unfinished"
sync "$target.unfinished"
mv "$target.unfinished" "$target"
sync "$(dirname "$target")"
