#!/usr/bin/env bash
# Runs one e2e test in a world of its own, as the world's user.
# Usage: tests/e2e/run.sh FOLDER_OF_PROGRAMS TEST.py [UNITTEST ARGUMENTS...]
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly root
programs="$1"
test="$(basename "$2")"
shift 2

# Short: the paths of Unix sockets below it must stay under 108 bytes.
state="/var/tmp/baton-e2e-$$"
export BATON_DEMO_DIR="$state" BATON_DEMO_PROGRAMS="$programs"

clean_up() {
  local code=$?
  if ((code != 0)) && [[ -d $state ]]; then
    echo "logs of the failed test, newest lines of each:" >&2
    find "$state" -name '*.log' -not -name '*talk.log' -size +0 -print0 |
      while IFS= read -r -d '' log; do
        echo "--- $log" >&2
        tail -n 25 "$log" >&2
      done
  fi
  [[ -n ${BATON_TEST_KEEP:-} ]] || rm -rf "$state"
  exit "$code"
}
trap clean_up EXIT

"$root/deploy/demo.sh" python -c 'pass'
install -d "$state/tests"
install -m 644 "$root"/tests/support/*.py "$root"/tests/e2e/*.py "$state/tests"
"$root/deploy/demo.sh" python "$state/tests/$test" "$@"
