#!/bin/bash
# Start Langflow's server (FastAPI; a user is a tenant) on loopback with a fresh SQLite store.
# usage: start.sh VERSION PORT    0.4.3: leaks between users; 1.13.0: late. Versions of langflow-base.
. "$(dirname "$(readlink -f "$0")")/../lab.sh"
V=${1:-0.4.3} PORT=${2:-9201}
case $V in
0.4.*) environment "langflow-base-$V" 2025-07-10 "langflow-base==$V" litellm ;; # imported, not declared
*) environment "langflow-base-$V" 2026-11-15 "langflow-base==$V" ;;
esac
folder
export LANGFLOW_CONFIG_DIR=$D/config LANGFLOW_DATABASE_URL=sqlite:///$D/store.db
export LANGFLOW_AUTO_LOGIN=false LANGFLOW_NEW_USER_IS_ACTIVE=true LANGFLOW_SECRET_KEY=bGFiLXNlY3JldC1sYWItc2VjcmV0LWxhYi1zZWNyZXQ=
export LANGFLOW_SUPERUSER=operator LANGFLOW_SUPERUSER_PASSWORD=Passw0rd-operator
export LANGFLOW_DO_NOT_TRACK=true LANGFLOW_STORE=false LANGFLOW_UPDATE_STARTER_PROJECTS=false
export LANGFLOW_CREATE_STARTER_PROJECTS=false LANGFLOW_ACCESS_TOKEN_EXPIRE_SECONDS=86400
export LANGFLOW_STORE_ENVIRONMENT_VARIABLES=false LANGFLOW_ADD_PROJECTS_TO_MCP_SERVERS=false
serve "$PORT" /health "$W/bin/python" -m langflow run --backend-only --host 127.0.0.1 --port "$PORT" --workers 1 --log-level warning
