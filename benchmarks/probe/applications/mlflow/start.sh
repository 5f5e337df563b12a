#!/bin/bash
# Starts MLflow's tracking server (Flask) with its users and permissions on loopback, a fresh SQLite store each;
# nobody may see what nobody gave them (default_permission = NO_PERMISSIONS); makes sixty users, whose passwords
# are hashed cheaply (the server hashes on every request); prints READY and the pid.
# usage: start.sh VERSION PORT    2.9.2: many operations ask for no permission; 3.10.1: fewer.
set -eu
V=${1:-2.9.2} PORT=${2:-9341} LAB=${LAB:-/tmp/lab}
case $V in
  2.*) PYTHON=3.10 UNTIL=2024-01-15 ;;
  *) PYTHON=3.11 UNTIL=2026-04-01 ;;
esac
W=$LAB/mlflow-$V
[ -x "$W/bin/mlflow" ] || {
  mkdir -p "$LAB"
  python3 -m venv "$LAB/uv" && "$LAB/uv/bin/pip" -q install uv
  PATH=$PATH:$(echo "$HOME/.pyenv/versions/$PYTHON".*/bin | tr " " ":") \
    "$LAB/uv/bin/uv" venv -q --no-python-downloads --python "$PYTHON" "$W"
  VIRTUAL_ENV=$W "$LAB/uv/bin/uv" pip install -q --exclude-newer "$UNTIL" "mlflow==$V" flask-wtf
}
D=$(mktemp -d "$LAB/run-mlflow.XXXX")
cat >"$D/auth.ini" <<SETTINGS
[mlflow]
default_permission = NO_PERMISSIONS
database_uri = sqlite:///$D/users.db
admin_username = admin
admin_password = password1234
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
SETTINGS
cat >"$D/users.py" <<'USERS'
import pathlib, sqlite3
from werkzeug.security import generate_password_hash
store = sqlite3.connect(pathlib.Path(__file__).with_name("users.db"), timeout=30)
cheap = generate_password_hash("Passw0rd!xx12", method="pbkdf2:sha256:1")
store.execute("UPDATE users SET password_hash = ?", (generate_password_hash("password1234", method="pbkdf2:sha256:1"),))
for n in range(60):
    store.execute("INSERT INTO users (username, password_hash, is_admin) VALUES (?, ?, 0)", (f"tenant{n}", cheap))
store.commit()
USERS
export HOME=$D MLFLOW_AUTH_CONFIG_PATH=$D/auth.ini MLFLOW_FLASK_SERVER_SECRET_KEY=laboratory
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=1 MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false GIT_PYTHON_REFRESH=quiet PATH=$W/bin:$PATH
cd "$D"
nohup "$W/bin/mlflow" server --app-name basic-auth --backend-store-uri "sqlite:///$D/store.db" \
  --artifacts-destination "$D/artifacts" --host 127.0.0.1 --port "$PORT" --workers 1 >"$D/log" 2>&1 &
echo $! >"$D/pid"
for _ in $(seq 240); do
  curl -sf "http://127.0.0.1:$PORT/health" >/dev/null && { "$W/bin/python" "$D/users.py"; echo "READY http://127.0.0.1:$PORT pid $(cat "$D/pid")"; exit 0; }
  kill -0 "$(cat "$D/pid")" 2>/dev/null || break
  sleep .5
done
echo FAILED; tail -20 "$D/log"; exit 1
