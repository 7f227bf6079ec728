#!/usr/bin/env bash
# Builds the simulation (release) and runs it.
set -euo pipefail

usage() {
  cat <<'END'
Usage: tests/sim.sh --seed N [--mutation NAME] [--trace FILE]
       tests/sim.sh --seeds A..B [--jobs N] [--mutation NAME] [--coverage]
       tests/sim.sh --scenario FILE
       tests/sim.sh --list-mutations | --help

Moves a simulated pool to the other site and back, loses sites and takes them back, while things go
wrong, and checks the rules of Baton after every event. Everything follows from the seed: the same
seed is the same run.

  --seed N          replays one run and tells what happened, line by line
  --seeds A..B      runs many; names each that fails in a line as it is found and says on stderr how
                    far it is; then tells the first that failed, with the fewest faults that are
                    enough for it, and ends with "N passed, M failed"
  --scenario FILE   one story of tests/simulation/testdata
  --jobs N          so many at once (default 1)
  --mutation NAME   a build that is broken on purpose: a checker must catch it
  --list-mutations  names them, what is broken, and the checker that catches each
  --coverage        prints which faults have met which step, and how far it was
  --trace FILE      with --seed: writes durable records and what the oracle saw, one a line
                    (tests/simulation/trace.h says how)

Exit code 0: every rule held; 1: one was broken; 2: wrong usage.
END
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root

main() {
  if (($# == 0)) || [[ "$1" == "-h" || "$1" == "--help" ]]; then
    usage
    return
  fi
  local build="${BATON_SIM_BUILD:-$root/build/release}"
  cd "$root"
  {
    cmake --preset release -B "$build"
    cmake --build "$build" --target baton-sim
  } >"$build.log" 2>&1 || {
    cat "$build.log" >&2
    echo "tests/sim.sh: the build failed; its output is above" >&2
    return 2
  }
  exec "$build/bin/baton-sim" "$@"
}

main "$@"
