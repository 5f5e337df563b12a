#!/bin/bash
# Start ContextForge, a gateway of MCP servers (FastAPI; a user with his team is a tenant), on
# loopback with a fresh SQLite store.
# usage: start.sh VERSION PORT    0.8.0: leaks between users; 1.0.7: late.
. "$(dirname "$(readlink -f "$0")")/../lab.sh"
V=${1:-0.8.0} PORT=${2:-9231}
case $V in 0.8.*) BEFORE=2025-10-22 ;; *) BEFORE=2026-09-01 ;; esac
environment "contextforge-$V" "$BEFORE" "mcp-contextforge-gateway==$V"
folder
export DATABASE_URL=sqlite:///$D/store.db CACHE_TYPE=memory MCPGATEWAY_UI_ENABLED=false MCPGATEWAY_ADMIN_API_ENABLED=false
export JWT_SECRET_KEY=q7Zp2Lr9Xv4Kc8Tn1Bw6Ys3Hd5Jf0Gm8Ru AUTH_ENCRYPTION_SECRET=m8Ew3Ux6Oa1Iq9Pz4Lk7Vb2Ct5Ny0Sj3Dg
export PLATFORM_ADMIN_EMAIL=operator@example.com PLATFORM_ADMIN_PASSWORD=Passw0rd-0perator! AUTH_REQUIRED=true
export PUBLIC_REGISTRATION_ENABLED=true OTEL_ENABLE_OBSERVABILITY=false FEDERATION_ENABLED=false PLUGINS_ENABLED=false
export TOKEN_EXPIRY=1440 RATE_LIMITING_ENABLED=false SSRF_PROTECTION_ENABLED=false DEV_MODE=true PASSWORD_CHANGE_ENFORCEMENT_ENABLED=false REQUIRE_STRONG_SECRETS=false
serve "$PORT" /health "$W/bin/python" -m uvicorn mcpgateway.main:app --host 127.0.0.1 --port "$PORT" --log-level warning
