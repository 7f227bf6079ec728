#!/usr/bin/env bash
# Runs one e2e test in a world of its own, as the world's user.
# Usage: tests/e2e/run.sh FOLDER_OF_PROGRAMS TEST.py [UNITTEST ARGUMENTS...]
# What an operator would have seen is kept in e2e-pages, beside FOLDER_OF_PROGRAMS. Sites can be cut
# apart only as root.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly root
programs="$1"
test="$(basename "$2")"
pages="$(dirname "$1")/e2e-pages"
shift 2

# Short: the paths of Unix sockets below it must stay under 108 bytes.
state="/var/tmp/baton-e2e-$$"
export BATON_DEMO_DIR="$state" BATON_DEMO_PROGRAMS="$programs" BATON_TEST_PROGRAMS="$programs"

# What failed stands last, where one looks first.
show_logs() {
  echo "newest lines of the logs of the failed test:"
  find "$state" -name '*.log' -not -name '*talk.log' -not -name output.log -size +0 -print0 |
    while IFS= read -r -d '' log; do
      echo "--- $log"
      grep -v -e 'ground_truth' -e 'read-only transaction' "$log" | tail -n 25
    done
  echo "--- the test"
  cat "$state/output.log"
}

clean_up() {
  local code=$?
  if ((code != 0)) && [[ -e $state/output.log ]]; then
    show_logs
  fi
  if [[ -d $state/pages ]]; then
    mkdir -p "$pages"
    cp "$state"/pages/* "$pages"
  fi
  [[ -n ${BATON_TEST_KEEP:-} ]] || rm -rf "$state"
  exit "$code"
}
trap clean_up EXIT

((EUID != 0)) || export BATON_DEMO_NETWORK=1
"$root/deploy/demo.sh" python -c 'pass'
install -d "$state/tests"
install -m 644 "$root"/tests/support/*.py "$root"/tests/e2e/*.py "$state/tests"
"$root/deploy/demo.sh" python "$state/tests/$test" "$@" 2>&1 | tee "$state/output.log"
