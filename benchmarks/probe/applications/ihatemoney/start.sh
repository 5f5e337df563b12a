#!/bin/bash
# Starts I Hate Money (Flask, a shared budget of many projects) on loopback with a fresh SQLite store; prints READY and the pid.
# usage: start.sh VERSION PORT    4.1.4: a project's key reaches other projects' members; 4.1.5: mended; 6.1.5: later, with tokens.
set -eu
V=${1:-4.1.4} PORT=${2:-9301} LAB=${LAB:-/tmp/lab}
case $V in
  4.1.*) PYTHON=3.8 UNTIL=2020-08-15 ;;
  *) PYTHON=3.10 UNTIL=2024-03-30 ;;
esac
W=$LAB/ihatemoney-$V
[ -x "$W/bin/ihatemoney" ] || {
  mkdir -p "$LAB"
  python3 -m venv "$LAB/uv" && "$LAB/uv/bin/pip" -q install uv
  PATH=$PATH:$(echo "$HOME/.pyenv/versions/$PYTHON".*/bin | tr " " ":") \
    "$LAB/uv/bin/uv" venv -q --no-python-downloads --python "$PYTHON" "$W"
  VIRTUAL_ENV=$W "$LAB/uv/bin/uv" pip install -q --exclude-newer "$UNTIL" "ihatemoney==$V"
}
D=$(mktemp -d "$LAB/run-ihatemoney.XXXX")
cat >"$D/settings.py" <<SETTINGS
SQLALCHEMY_DATABASE_URI = "sqlite:///$D/store.db"
SQLALCHEMY_TRACK_MODIFICATIONS = False
SECRET_KEY = "a key for the laboratory"
ACTIVATE_DEMO_PROJECT = False
MAIL_SUPPRESS_SEND = True
SETTINGS
export IHATEMONEY_SETTINGS_FILE_PATH=$D/settings.py HOME=$D
cd "$D"
nohup "$W/bin/python" -c "
from ihatemoney.run import create_app
create_app().run('127.0.0.1', $PORT, threaded=True)" >"$D/log" 2>&1 &
echo $! >"$D/pid"
for _ in $(seq 120); do
  curl -s -o /dev/null "http://127.0.0.1:$PORT/api/projects" && { echo "READY http://127.0.0.1:$PORT pid $(cat "$D/pid")"; exit 0; }
  kill -0 "$(cat "$D/pid")" 2>/dev/null || break
  sleep .5
done
echo FAILED; tail -20 "$D/log"; exit 1
