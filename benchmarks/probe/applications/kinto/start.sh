#!/bin/bash
# Starts Kinto (Pyramid, a document store) on loopback with a fresh store in memory; prints READY and the pid.
# usage: start.sh VERSION PORT [accounts]    26.5.0: no leak is known. With accounts (each may change or delete itself)
# every request hashes a password; without, the user is whoever the basic authentication says.
set -eu
V=${1:-26.5.0} PORT=${2:-9351} LAB=${LAB:-/tmp/lab}
W=$LAB/kinto-$V
[ -x "$W/bin/pserve" ] || {
  mkdir -p "$LAB"
  python3 -m venv "$LAB/uv" && "$LAB/uv/bin/pip" -q install uv
  "$LAB/uv/bin/uv" venv -q --python 3.11 "$W"
  VIRTUAL_ENV=$W "$LAB/uv/bin/uv" pip install -q --exclude-newer 2026-11-01 "kinto==$V"
}
D=$(mktemp -d "$LAB/run-kinto.XXXX")
INCLUDES="kinto.plugins.default_bucket kinto.plugins.history"
POLICY="multiauth.policies = basicauth"
[ "${3:-}" = accounts ] && {
  INCLUDES="kinto.plugins.accounts $INCLUDES"
  POLICY="kinto.account_create_principals = system.Everyone
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.authentication.AccountsAuthenticationPolicy"
}
cat >"$D/kinto.ini" <<SETTINGS
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = $PORT
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = laboratory
kinto.bucket_create_principals = system.Authenticated
kinto.includes = $INCLUDES
$POLICY
SETTINGS
export HOME=$D
cd "$D"
nohup "$W/bin/pserve" kinto.ini >"$D/log" 2>&1 &
echo $! >"$D/pid"
for _ in $(seq 120); do
  curl -sf "http://127.0.0.1:$PORT/v1/" >/dev/null && { echo "READY http://127.0.0.1:$PORT pid $(cat "$D/pid")"; exit 0; }
  kill -0 "$(cat "$D/pid")" 2>/dev/null || break
  sleep .5
done
echo FAILED; tail -20 "$D/log"; exit 1
