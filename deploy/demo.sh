#!/usr/bin/env bash
# The demonstration: a persistent-chat pool moved, lost, failed over and brought back while people talk.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/demo.sh [--json] [--moves N]       the whole demonstration
       deploy/demo.sh COMMAND [ARGUMENTS]        a world that stays, for you and your scripts

Without a command: installs what is missing, builds, makes two sites on loopback with real databases
and chat servers, protects the pool, lets people talk, moves it to the other site and back by planned
switchovers, kills everything at the home site, fails over, lets the dead site return, fails back,
compares the rooms' archives with what was acknowledged, prints a table, and removes everything. Ends
with 0 only if every move succeeded, planned ones lost nothing, the failover lost nothing that was
acknowledged before the point it had announced, and what it did lose is in quarantine.

  --json       prints the result as one JSON object, last
  --moves N    how many switchovers before the home site is lost, there and back in turn: an even
               number (default 2)

A world that stays:
  up [--bare] [--network]
               makes it (or starts it again after `down`) and protects the pool; --bare starts the
               hosts and stops short of topology and protect: a primary that nobody ships logs of, a
               backup host without data. --network (root) gives each site a network of its own, so
               that sites can be cut apart
  down         cuts the power of all hosts; everything on disk stays
  reset        removes the world and makes a new one
  remove       cuts the power and removes the world
  world [PATH] prints JSON: every address, port, account, file and (live) pid; with PATH, such as
               hosts.hq-sql1.resources.mgc.port, only that value

What can be done to it:
  host HOST off|boot|reboot          reboot: power cut (kill -9 of everything), new boot id, start
  agent HOST kill|start              the agent alone; what it looks after runs on
  coordinator kill|start
  lose SITE                          kill -9 of everything at a site, at once
  return SITE                        its hosts come back, as after a power cut
  cut SITE OTHER [--one-way]         no packet between two sites (hq, dr, witness); with --one-way
                                     none from SITE to OTHER. Wants a world made with --network
  mend SITE OTHER
  supervisor HOST RESOURCE kill|start
  baton ARGUMENTS...                 the operator's command line, aimed at this world
  guard HOST RESOURCE COMMAND...     baton-guard COMMAND with that resource's file put after it
  psql SITE [ARGUMENTS...]           a session as superuser in that site's chat database
  talk [--seconds N] [--log FILE]    people talk until Ctrl-C; then the archives are compared
  python FILE [ARGUMENTS...]         runs a script as the world's user, with the demo's modules

Where: the state lies in $BATON_DEMO_DIR, by default /var/tmp/baton-demo-UID. Started by root, all of
it runs as the system user `baton-demo`, which is made if need be. $BATON_DEMO_PROGRAMS names a folder
of built programs to use instead of building. With BATON_DEMO_NETWORK=1 `python` starts (as root) in a
network of its own, in which a script can make sites that can be cut apart.
END
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly user=baton-demo

fail() {
  echo "demo.sh: $*" >&2
  exit 2
}

build() {
  if [[ -n ${BATON_DEMO_PROGRAMS:-} ]]; then
    programs="$(cd "$BATON_DEMO_PROGRAMS" && pwd)"
    return
  fi
  programs="$root/build/release/bin"
  local quiet=()
  [[ -t 1 ]] || quiet=(--quiet)
  (
    cd "$root"
    mkdir -p build
    cmake --preset release >build/configure.log 2>&1 || {
      cat build/configure.log
      exit 1
    }
    cmake --build --preset release --target baton baton-agent baton-coordinator baton-guard -- \
      "${quiet[@]}"
  ) >&2 || fail "the build failed"
}

# Who the world runs as, and where it lies.
choose_user() {
  if ((EUID == 0)); then
    id -u "$user" >/dev/null 2>&1 ||
      useradd --system --user-group --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin "$user" || fail "cannot make the system user $user"
    uid="$(id -u "$user")"
  else
    uid=$EUID
  fi
  state="${BATON_DEMO_DIR:-/var/tmp/baton-demo-$uid}"
  [[ $state == /* ]] || fail "BATON_DEMO_DIR is '$state'; an absolute path is wanted"
  if [[ ! -e $state ]]; then
    mkdir -p "$state"
    chmod 700 "$state"
    ((EUID != 0)) || chown "$user:" "$state"
  fi
  [[ -d $state && ! -L $state && "$(stat -c %u "$state")" == "$uid" ]] ||
    fail "$state is not a directory of user $uid; remove it or set BATON_DEMO_DIR"
}

# The clone may lie where the world's user cannot read, and a new build must not pull a program away
# from under a running world: both are reasons to run from a copy.
install_file() {
  local source=$1 target=$2 mode=$3
  cmp -s "$source" "$target" && return
  install -D -m "$mode" "$source" "$target.new"
  mv -f "$target.new" "$target"
}

install_copy() {
  local file
  for file in baton baton-agent baton-coordinator baton-guard; do
    [[ -x $programs/$file ]] || fail "$programs/$file is not there; build it first"
    install_file "$programs/$file" "$copy/bin/$file" 755
  done
  for file in "$root"/deploy/demo/*.py; do
    install_file "$file" "$copy/demo/${file##*/}" 644
  done
  for file in "$root"/deploy/config/*; do
    install_file "$file" "$copy/config/${file##*/}" 644
  done
  for file in "$root"/agent/chat/prosody/*.lua; do
    install_file "$file" "$copy/prosody/${file##*/}" 644
  done
}

# How Python gets into the world's network: a new one that it may furnish (BATON_DEMO_NETWORK=1), or
# the router of the world that stays, whose first process names itself in a file.
into_network() {
  ((EUID == 0)) || {
    [[ ${BATON_DEMO_NETWORK:-} != 1 ]] || fail "a network of its own needs root"
    return 0
  }
  local pid
  pid="$(cat "$state/world/network/router/pid" 2>/dev/null || true)"
  if [[ $pid =~ ^[0-9]+$ && "$(stat -c %u "/proc/$pid" 2>/dev/null)" == "$uid" ]]; then
    as=(nsenter "--net=/proc/$pid/ns/net" "--mount=/proc/$pid/ns/mnt" --)
  elif [[ ${BATON_DEMO_NETWORK:-} == 1 ]]; then
    # shellcheck disable=SC2016  # the inner shell expands them
    as=(unshare --net --mount -- /bin/sh -c 'ip link set lo up && exec "$0" "$@"')
  else
    return 0
  fi
  # shellcheck disable=SC2054  # the commas are setpriv's
  rights=(--inh-caps=+net_admin,+sys_admin --ambient-caps=+net_admin,+sys_admin)
  environment+=(BATON_DEMO_NETWORK=1)
}

# Hands over to Python as the world's user; never returns.
enter() {
  local environment=(
    PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 HOME="$state" TERM="${TERM:-dumb}"
    PYTHONPATH="$copy/demo" PYTHONDONTWRITEBYTECODE=1 BATON_DEMO_STATE="$state" BATON_DEMO_COPY="$copy"
  )
  local name
  for name in $(compgen -e); do
    [[ $name == BATON_TEST_* ]] && environment+=("$name=${!name}")
  done
  local as=() rights=()
  into_network
  ((EUID != 0)) ||
    as+=(setpriv --reuid="$user" --regid="$user" --clear-groups "${rights[@]}")
  cd /
  exec env -i "${environment[@]}" "${as[@]}" /usr/bin/python3 "$@"
}

main() {
  local command="${1:-demo}"
  case "$command" in
    -h | --help | help)
      usage
      return
      ;;
    -*) command=demo ;;
  esac
  [[ " $* " != *" --network "* || $command != @(up|reset) ]] || BATON_DEMO_NETWORK=1
  case "$command" in
    demo | up | reset)
      "$root/deploy/setup.sh" >&2
      build
      ;;
    python) programs="${BATON_DEMO_PROGRAMS:-}" ;;
    down | remove | world | host | agent | coordinator | supervisor | baton | guard | psql | talk | \
      lose | return | cut | mend)
      programs=""
      ;;
    *) fail "unknown command '$command'; see --help" ;;
  esac
  choose_user
  copy="$state/program"
  [[ -z $programs ]] || install_copy
  [[ -d $copy ]] || fail "there is no world in $state; 'demo.sh up' makes one"
  if [[ $command == python ]]; then
    shift
    (($#)) || fail "python wants the script to run"
    enter "$@"
  fi
  enter "$copy/demo/main.py" "$@"
}

main "$@"
