// How many whole switchovers, and moves of every kind, with faults, one core simulates per second,
// and what it costs to copy the execution of one.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "absl/synchronization/mutex.h"

#include "tests/simulation/simulation.h"

namespace {

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double NanosPerCopy() {
  baton::sim::Scenario scenario;
  baton::sim::Simulation simulation(scenario);
  simulation.RunUntil(60 * baton::sim::kSecond,
                      [&] { return simulation.moves() == 1 && simulation.Running() != nullptr; });
  const baton::Execution* running = simulation.Running();
  if (running == nullptr) return 0;
  constexpr int kCopies = 200'000;
  size_t kept = 0;
  const double began = CpuSeconds();
  for (int i = 0; i < kCopies; ++i) {
    const baton::Execution copy = *running;
    kept += copy.steps.size();
  }
  const double took = CpuSeconds() - began;
  return kept == 0 ? 0 : took / kCopies * 1e9;
}

void Measure(const char* what, bool only_switchovers) {
  constexpr uint64_t kSeeds = 3000;
  int moves = 0;
  const double began = CpuSeconds();
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    baton::sim::Scenario scenario = baton::sim::MakeScenario(seed);
    if (only_switchovers) {
      scenario.course = baton::sim::Scenario().course;
      scenario.bare = false;
    }
    moves += std::max(0, baton::sim::RunScenario(scenario).moves - 1);
  }
  const double took = CpuSeconds() - began;
  std::printf("%d %s with faults in %.2f CPU seconds: %.0f per second and core\n", moves, what,
              took, moves / took);
}

}  // namespace

int main() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  Measure("switchovers", true);
  Measure("moves of every kind", false);
  std::printf("copying an Execution: %.0f ns\n", NanosPerCopy());
  return 0;
}
