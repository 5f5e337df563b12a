#!/bin/bash
# Start PraisonAI's platform (FastAPI; a workspace is a tenant) on loopback with a fresh SQLite store.
# usage: start.sh VERSION PORT    0.1.1: leaks between workspaces; 0.1.4: mended; 0.1.9: later.
. "$(dirname "$(readlink -f "$0")")/../lab.sh"
V=${1:-0.1.1} PORT=${2:-9101}
environment "praisonai-$V" 2026-06-27 "praisonai-platform==$V" greenlet email-validator "bcrypt==4.0.1"
folder
export DATABASE_URL=sqlite+aiosqlite:///$D/p.db PLATFORM_ENV=dev PRAISONAI_TELEMETRY_DISABLED=true
export PLATFORM_JWT_SECRET=labsecretlabsecretlabsecretlabsecret
serve "$PORT" /health "$W/bin/python" -m praisonai_platform --host 127.0.0.1 --port "$PORT"
