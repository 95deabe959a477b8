# Sourced by the scripts of this folder: messages, packages, and a private PostgreSQL cluster.
# shellcheck shell=bash

if [[ -t 2 ]]; then bold=$'\033[1m' plain=$'\033[0m'; else bold='' plain=''; fi
say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain" >&2; }
fail() {
  printf '%s: %s\n' "$0" "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# install_packages NAME...: by apt where that is possible; says what to do where it is not.
install_packages() {
  (($#)) || return 0
  if ! have apt-get; then
    fail "missing: $* (names of Debian packages); install them with this system's package manager"
  fi
  if ((EUID != 0)); then
    fail "missing: $*; install them with: sudo apt-get install --no-install-recommends $*"
  fi
  say "installing by apt: $*"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# install_npm_packages FOLDER: what its lock file names, where that has changed.
install_npm_packages() {
  local directory="$1" locked
  locked="$(sha256sum "$directory/package.json" "$directory/package-lock.json")"
  [[ "$(cat "$directory/node_modules/.installed" 2>/dev/null)" == "$locked" ]] && return 0
  say "installing npm packages of $directory (by hand: cd $directory && npm ci)"
  (cd "$directory" && npm ci --no-audit --no-fund --loglevel=error)
  printf '%s\n' "$locked" >"$directory/node_modules/.installed"
}

# Where the newest installed PostgreSQL has its programs; empty where there is none.
postgres_bin() {
  local directory newest=""
  for directory in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
    if [[ -x "$directory/initdb" && -x "$directory/postgres" ]]; then
      newest="$(printf '%s\n%s\n' "$newest" "$directory" | sort -V | tail -n 1)"
    fi
  done
  if [[ -z "$newest" ]] && have initdb; then
    newest="$(dirname "$(readlink -f "$(command -v initdb)")")"
  fi
  printf '%s' "$newest"
}

cluster=""
cluster_bin=""
as_owner=()
# More for initdb, set by whoever wants it.
initdb_options=()

# PostgreSQL refuses to run as root.
choose_owner() {
  ((EUID == 0)) || return 0
  local owner
  for owner in postgres nobody; do
    if id -u "$owner" >/dev/null 2>&1; then
      chown "$owner" "$cluster"
      as_owner=(runuser -u "$owner" --)
      return 0
    fi
  done
  fail "running as root, and there is neither a user postgres nor nobody to run the cluster"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# start_cluster FOLDER [SETTING...]: makes a cluster in an empty folder, closed to others, and starts it on a free port.
# Exports TEST_POSTGRES_URL, a superuser's, with the database postgres. It does not wait for the disk, and nothing in it
# has to survive a crash of the machine.
start_cluster() {
  local password attempt port started=$SECONDS
  cluster="$1"
  shift
  cluster_bin="$(postgres_bin)"
  choose_owner
  # Other users of this machine reach the port too.
  password="$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')"
  printf '%s\n' "$password" >"$cluster/password"
  chmod 0644 "$cluster/password" # the folder itself is closed to others
  (cd "$cluster" && "${as_owner[@]}" "$cluster_bin/initdb" --pgdata "$cluster/data" --username postgres \
    --pwfile "$cluster/password" --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 "${initdb_options[@]}" \
    --no-sync --no-instructions >"$cluster/initdb.log" 2>&1) ||
    { cat "$cluster/initdb.log" >&2; fail "initdb failed"; }
  printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = '$cluster'" "max_wal_size = 4GB" \
    "fsync = off" "synchronous_commit = off" "full_page_writes = off" "$@" >>"$cluster/data/postgresql.conf"
  for attempt in 1 2 3; do
    port="$(free_port)"
    if (cd "$cluster" && "${as_owner[@]}" "$cluster_bin/pg_ctl" -D "$cluster/data" -o "-p $port" -l "$cluster/log" \
      -w -t 60 start >/dev/null 2>&1); then
      export TEST_POSTGRES_URL="postgres://postgres:$password@127.0.0.1:$port/postgres"
      say "private $("$cluster_bin/postgres" --version) on 127.0.0.1:$port ($((SECONDS - started)) s)"
      return 0
    fi
    say "PostgreSQL did not start on port $port (attempt $attempt)"
  done
  cat "$cluster/log" >&2
  fail "the private PostgreSQL cluster does not start"
}

# stop_cluster: ends it, if one was started. Its folder is the caller's to remove.
stop_cluster() {
  if [[ -n "$cluster" && -f "$cluster/data/postmaster.pid" ]]; then
    "${as_owner[@]}" "$cluster_bin/pg_ctl" -D "$cluster/data" -m immediate -w stop >/dev/null 2>&1 || true
  fi
}
