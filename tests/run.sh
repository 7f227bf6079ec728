#!/usr/bin/env bash
# Installs what is missing, builds everything, runs the tests.
set -euo pipefail

usage() {
  cat <<'END'
Usage: tests/run.sh [--label L]... [--preset P] [--filter REGEX] [--list] [--help]

Installs missing packages (as root; as another user they must be there), configures, builds, runs
the tests, and ends with their summary. Exit code 0 only if all of them passed.

  --label L       only tests of this label: unit integration simulation fault e2e style; repeatable
  --preset P      dev (default), release or asan; each has a build folder of its own
  --filter REGEX  only tests whose name matches
  --list          names the tests and runs none

Environment: BATON_TEST_ROUNDS=N makes the e2e tests that repeat something do so N times (CI: a few).
CCACHE_DIR moves the compiler cache, which lies outside the clone.
END
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root

fail() {
  echo "tests/run.sh: $*" >&2
  exit 2
}

main() {
  local preset=dev labels=() options=() list=0
  while (($#)); do
    case "$1" in
      -h | --help)
        usage
        return
        ;;
      --list) list=1 ;;
      --label | --preset | --filter)
        (($# > 1)) || fail "$1 wants a value"
        case "$1" in
          --label) labels+=("$2") ;;
          --preset) preset="$2" ;;
          --filter) options+=(--tests-regex "$2") ;;
        esac
        shift
        ;;
      *) fail "unknown argument '$1'; see --help" ;;
    esac
    shift
  done
  if ((${#labels[@]})); then
    local IFS='|'
    options+=(--label-regex "^(${labels[*]})\$")
  fi
  ((list)) && options+=(--show-only)

  cd "$root"
  deploy/setup.sh
  cmake --preset "$preset"
  cmake --build --preset "$preset"
  # Two at a time on any machine: timings stay alike. Tests that want the machine to themselves say so.
  exec ctest --preset "$preset" --parallel 2 --no-tests=error "${options[@]}"
}

main "$@"
