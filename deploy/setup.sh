#!/usr/bin/env bash
# Installs what Baton needs to be built, run and tested on Debian 12.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/setup.sh [--list] [--help]

Installs the Debian packages that Baton needs to be built, run in the demo, and tested. Does nothing
when all of them are there. Needs root for that (or sudo without a password) and never asks anything.
No service of PostgreSQL or Prosody is started or left configured by it.

  --list   prints the packages, one a line, and whether each is installed; changes nothing
END
}

readonly packages=(
  # building
  g++ cmake ninja-build ccache lld pkg-config git ca-certificates
  libgrpc++-dev libgrpc-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  libre2-dev libc-ares-dev zlib1g-dev libssl-dev
  libabsl-dev libspdlog-dev libfmt-dev libcli11-dev libyaml-cpp-dev libsqlite3-dev libpq-dev
  libstrophe-dev libcurl4-openssl-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev
  # the world that it runs in
  postgresql-15 prosody lua-dbi-postgresql
  python3 python3-slixmpp python3-psycopg2 iproute2 procps util-linux
)

installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    installed "$package" || echo "$package"
  done
}

fail() {
  echo "deploy/setup.sh: $*" >&2
  exit 1
}

remove=()
clean_up() {
  rm -f -- "${remove[@]}"
  remove=()
}

# Debian starts a service as soon as its package is unpacked. For the time of the install nothing may:
# the demo and the tests bring their own clusters and chat servers.
install_packages() {
  local policy=/usr/sbin/policy-rc.d
  local no_cluster=/etc/postgresql-common/createcluster.d/baton-setup.conf
  trap clean_up EXIT
  if [[ ! -e $policy ]]; then
    remove+=("$policy")
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  if [[ ! -e $no_cluster ]]; then
    remove+=("$no_cluster")
    mkdir -p "${no_cluster%/*}"
    echo 'create_main_cluster = false' >"$no_cluster"
  fi
  export DEBIAN_FRONTEND=noninteractive
  local options=(-q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install -y --no-install-recommends \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
  clean_up
}

main() {
  case "${1:-}" in
    -h | --help)
      usage
      return
      ;;
    --list)
      local package
      for package in "${packages[@]}"; do
        printf '%s %s\n' "$package" "$(installed "$package" && echo installed || echo missing)"
      done
      return
      ;;
    "") ;;
    *) fail "unknown argument '$1'; see --help" ;;
  esac

  command -v dpkg-query >/dev/null || fail "this is no Debian system (dpkg-query is missing); Debian 12 is wanted"
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0

  if ((EUID != 0)); then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      exec sudo -n "$0"
    fi
    fail "these packages are missing and only root can install them: ${missing[*]}
Run 'deploy/setup.sh' as root once; everything else works as an ordinary user."
  fi
  echo "installing ${#missing[@]} packages: ${missing[*]}"
  install_packages "${missing[@]}"
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} == 0)) || fail "still missing after the install: ${missing[*]}"
}

main "$@"
