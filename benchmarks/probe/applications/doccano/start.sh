#!/bin/bash
# Starts doccano (Django, annotation projects) on loopback with a fresh SQLite store and its task worker;
# makes sixty users who may have projects; prints READY and the pids.
# usage: start.sh VERSION PORT    1.8.4: the last one on PyPI; ids under one's own project reach other projects.
set -eu
V=${1:-1.8.4} PORT=${2:-9331} LAB=${LAB:-/tmp/lab}
W=$LAB/doccano-$V
[ -x "$W/bin/doccano" ] || {
  mkdir -p "$LAB"
  python3 -m venv "$LAB/uv" && "$LAB/uv/bin/pip" -q install uv
  PATH=$PATH:$(echo "$HOME/.pyenv/versions/3.9".*/bin | tr " " ":") \
    "$LAB/uv/bin/uv" venv -q --no-python-downloads --python 3.9 "$W"
  VIRTUAL_ENV=$W "$LAB/uv/bin/uv" pip install -q --exclude-newer 2023-08-15 "doccano==$V"
}
D=$(mktemp -d "$LAB/run-doccano.XXXX")
CODE=$("$W/bin/python" -c 'import backend; print(backend.__path__[0])')
cat >"$D/laboratory.py" <<'SETTINGS'
from config.settings.production import *
LOGGING = {"version": 1}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DATABASES["default"]["OPTIONS"] = {"timeout": 30}
DATABASES["default"]["CONN_MAX_AGE"] = 0
SETTINGS
export HOME=$D DOCCANO_HOME=$D DATABASE_URL=sqlite:///$D/store.db MEDIA_ROOT=$D/media STANDALONE=True DEBUG=False
export SECRET_KEY=laboratorylaboratorylaboratorylaboratory DJANGO_SETTINGS_MODULE=laboratory PYTHONPATH=$D:$CODE
cd "$D"
"$W/bin/python" -m django migrate >"$D/migrate.log" 2>&1
"$W/bin/python" -m django create_roles >>"$D/migrate.log" 2>&1
"$W/bin/python" -m django shell >>"$D/migrate.log" 2>&1 <<'USERS'
from django.contrib.auth.models import User
from django.contrib.auth.hashers import make_password
secret = make_password("Passw0rd!xx")
User.objects.bulk_create(User(username=f"tenant{n}", email=f"tenant{n}@example.com", password=secret, is_staff=True) for n in range(60))
USERS
nohup "$W/bin/gunicorn" --bind "127.0.0.1:$PORT" --workers 1 --threads 4 config.wsgi >"$D/log" 2>&1 &
echo $! >"$D/pid"
nohup "$W/bin/celery" --app config worker --pool solo --loglevel warning >"$D/worker.log" 2>&1 &
echo $! >"$D/worker.pid"
for _ in $(seq 120); do
  curl -sf "http://127.0.0.1:$PORT/v1/health/" >/dev/null && { echo "READY http://127.0.0.1:$PORT pid $(cat "$D/pid") $(cat "$D/worker.pid")"; exit 0; }
  kill -0 "$(cat "$D/pid")" 2>/dev/null || break
  sleep .5
done
echo FAILED; tail -20 "$D/log"; exit 1
