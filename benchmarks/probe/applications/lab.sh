# Sourced by each application's start.sh. One version is one virtual environment under $LAB; each
# start has a folder of its own, with a fresh store, that is also the server's HOME.
set -eu
LAB=${LAB:-/tmp/lab}
export DO_NOT_TRACK=1 OTEL_SDK_DISABLED=true ANONYMIZED_TELEMETRY=false SCARF_NO_ANALYTICS=true
export HF_HUB_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1

# environment NAME BEFORE REQUIREMENT...: makes $W once, with nothing published after the day BEFORE.
environment() {
  W=$LAB/$1
  local before=$2
  shift 2
  [ -f "$W/.complete" ] && return
  [ -x "$LAB/uv/bin/uv" ] || { python3 -m venv "$LAB/uv" && "$LAB/uv/bin/pip" -q install uv; }
  "$LAB/uv/bin/uv" venv -q --clear --python python3 "$W"
  VIRTUAL_ENV=$W "$LAB/uv/bin/uv" pip install -q --exclude-newer "$before" "$@"
  touch "$W/.complete"
}

# folder: makes and enters $D, where this run keeps its store and its log. From here on a client
# that minds the usual variables reaches this machine only.
NOWHERE=http://127.0.0.1:9
folder() {
  mkdir -p "$LAB"
  D=$(mktemp -d "$LAB/run.XXXX")
  export HOME=$D http_proxy=$NOWHERE https_proxy=$NOWHERE HTTP_PROXY=$NOWHERE HTTPS_PROXY=$NOWHERE
  export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost
  cd "$D"
}

# serve PORT PATH COMMAND...: starts it and waits until PATH answers.
serve() {
  local address=http://127.0.0.1:$1 path=$2
  shift 2
  nohup "$@" >"$D/log" 2>&1 &
  echo $! >"$D/pid"
  for _ in $(seq 360); do
    curl -sf -o /dev/null "$address$path" && { echo "READY $address pid $(cat "$D/pid")"; return; }
    kill -0 "$(cat "$D/pid")" 2>/dev/null || break
    sleep .5
  done
  echo "FAILED: $D/log"
  tail -20 "$D/log"
  return 1
}
