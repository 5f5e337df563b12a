#!/bin/bash
# Start Letta (FastAPI; an organization is a tenant, told by the header `user_id`) on loopback with
# a fresh SQLite store.
# usage: start.sh VERSION PORT    0.6.54: leaks between organizations; 0.16.8: the last one.
. "$(dirname "$(readlink -f "$0")")/../lab.sh"
V=${1:-0.6.54} PORT=${2:-9221}
case $V in 0.6.*) BEFORE=2025-04-25 ;; 0.11.*) BEFORE=2025-09-20 ;; *) BEFORE=2026-06-15 ;; esac
environment "letta-$V" "$BEFORE" "letta[sqlite]==$V" asyncpg
folder
export LETTA_DIR=$D/letta LETTA_DEBUG=false LETTA_TELEMETRY_ENABLE_DATADOG=false
mkdir -p "$LETTA_DIR"
serve "$PORT" /v1/health/ "$W/bin/letta" server --host 127.0.0.1 --port "$PORT"
