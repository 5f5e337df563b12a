#!/bin/bash
# Start AgentOS (agno; FastAPI; a user is a tenant) on loopback with a fresh SQLite store.
# usage: start.sh VERSION PORT    2.3.26, and 2.9.0-open as it is by default: leak between users;
#                                 2.9.0: with `user_isolation`.
HERE=$(dirname "$(readlink -f "$0")")
. "$HERE/../lab.sh"
V=${1:-2.3.26} PORT=${2:-9241}
case $V in 2.3.*) BEFORE=2026-01-20 ISOLATED= ;; *-open) BEFORE=2026-08-20 ISOLATED= ;; *) BEFORE=2026-08-20 ISOLATED=--isolated ;; esac
V=${V%-open}
environment "agno-$V" "$BEFORE" "agno[os]==$V" sqlalchemy aiosqlite openai
folder
export AGNO_TELEMETRY=false OPENAI_API_KEY=none
serve "$PORT" /health "$W/bin/python" "$HERE/serve.py" "$PORT" "$D/store.db" $ISOLATED
