# Makes the environment: checks versions in one readable line each, then .venv and the built client. Sourced.

# Some machines' settings forbid Python to keep what it has compiled: every start of a process would take five times as
# long, and so would its return after a kill.
unset PYTHONDONTWRITEBYTECODE

say() { printf '· %s\n' "$*"; }
fail() { printf '✗ %s\n' "$*" >&2; exit 1; }

need_python() {
  command -v python3 >/dev/null || fail "Python 3.11 or newer is needed, and there is no python3 on the PATH."
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed; python3 is $(python3 -c 'import platform; print(platform.python_version())')."
}

need_node() {
  command -v node >/dev/null && command -v npm >/dev/null || fail "Node 20.19 or newer with npm is needed, and there is none on the PATH."
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node 20.19 or newer is needed; node is $(node --version)."
}

# make_python LOCK: .venv holds exactly what LOCK names, checked by hash. Nothing happens when it already does.
# With SEMANTIC=1 it holds the sentence encoder, too.
make_python() {
  local stamp wanted more=(requirements-uv.txt)
  [ "${SEMANTIC:-}" = 1 ] && more+=(requirements-semantic.txt)
  stamp=.venv/lock.sha256
  wanted=$(sha256sum "$1" "${more[@]}" | sha256sum)
  if [ -f "$stamp" ]; then
    [ "$(cat "$stamp")" = "$wanted" ] && return 0
    # The developer's lock contains the other one: ./run after ./test needs nothing.
    [ "$1" = requirements.txt ] && [ "$(cat "$stamp")" = "$(sha256sum requirements-dev.txt "${more[@]}" | sha256sum)" ] && return 0
  fi
  say "Making the Python environment"
  python3 -m venv .venv || fail "python3 cannot make a virtual environment (on Debian: apt-get install python3-venv)."
  .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt ||
    fail "The Python packages could not be installed; is the package index reachable?"
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip sync -q --require-hashes "$1" "${more[@]}" ||
    fail "The Python packages could not be installed; is the package index reachable?"
  printf '%s' "$wanted" >"$stamp"
}

# make_client: web/client/dist is what the sources of today build. Nothing happens when it already is.
make_client() {
  local stamp wanted
  stamp=web/client/dist/source.sha256
  wanted=$(cd web/client && find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return 0
  install_client
  say "Building the client"
  (cd web/client && npm run --silent build) >web/client/build.log 2>&1 || { tail -20 web/client/build.log >&2; fail "The client could not be built; see web/client/build.log."; }
  rm -f web/client/build.log
  printf '%s' "$wanted" >"$stamp"
}

install_client() {
  local stamp wanted
  stamp=web/client/node_modules/lock.sha256
  wanted=$(sha256sum web/client/package-lock.json)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return 0
  say "Installing the client's packages"
  (cd web/client && npm ci --no-audit --no-fund --loglevel=error) || fail "The client's packages could not be installed; is the package index reachable?"
  printf '%s' "$wanted" >"$stamp"
}
