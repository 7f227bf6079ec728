// How many whole switchovers, with faults, one core simulates per second, and what it costs to copy
// the execution of one.
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

}  // namespace

int main() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  constexpr uint64_t kSeeds = 3000;
  int switchovers = 0;
  const double began = CpuSeconds();
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    switchovers += std::max(0, baton::sim::RunScenario(baton::sim::MakeScenario(seed)).moves - 1);
  }
  const double took = CpuSeconds() - began;
  std::printf("%d switchovers with faults in %.2f CPU seconds: %.0f per second and core\n",
              switchovers, took, switchovers / took);
  std::printf("copying an Execution: %.0f ns\n", NanosPerCopy());
  return 0;
}
