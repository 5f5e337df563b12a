#!/bin/bash
# Start Open WebUI (FastAPI; a user is a tenant) on loopback with a fresh SQLite store.
# usage: start.sh VERSION PORT    0.6.22: leaks between users; 0.12.4: late.
HERE=$(dirname "$(readlink -f "$0")")
. "$HERE/../lab.sh"
V=${1:-0.6.22} PORT=${2:-9211}
case $V in 0.6.*) BEFORE=2025-08-20 ;; *) BEFORE=2026-11-15 ;; esac
# The last two are imported, and come else with what is left out.
environment "open-webui-$V" "$BEFORE" --override "$HERE/overrides.txt" "open-webui==$V" itsdangerous beautifulsoup4
folder
export DATA_DIR=$D/data ENV=dev OFFLINE_MODE=true ENABLE_VERSION_UPDATE_CHECK=false
export WEBUI_SECRET_KEY=lab-secret-lab-secret-lab-secret
export ENABLE_OLLAMA_API=false ENABLE_OPENAI_API=false ENABLE_CHANNELS=true ENABLE_NOTES=true ENABLE_API_KEYS=true
export RAG_EMBEDDING_ENGINE=openai RAG_OPENAI_API_KEY=none
export CORS_ALLOW_ORIGIN="http://127.0.0.1:$PORT"
export USER_PERMISSIONS_WORKSPACE_MODELS_ACCESS=true USER_PERMISSIONS_WORKSPACE_KNOWLEDGE_ACCESS=true
export USER_PERMISSIONS_WORKSPACE_PROMPTS_ACCESS=true
export USER_PERMISSIONS_WORKSPACE_SKILLS_ACCESS=true USER_PERMISSIONS_FEATURES_API_KEYS=true
mkdir -p "$DATA_DIR"
serve "$PORT" /health "$W/bin/python" "$HERE/serve.py" "$PORT"
