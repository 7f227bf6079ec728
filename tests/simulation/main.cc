// baton-sim: runs simulations from the command line (tests/sim.sh).
#include <chrono>
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"

#include "tests/simulation/simulation.h"

namespace baton::sim {
namespace {

struct Options {
  uint64_t first = 0;
  uint64_t last = 0;
  Mutation mutation = Mutation::kNone;
  bool coverage = false;
  bool single = false;
  std::string trace_file;
};

Scenario Make(uint64_t seed, Mutation mutation) {
  Scenario scenario = MakeScenario(seed);
  scenario.mutation = mutation;
  return scenario;
}

void PrintStory(const Result& result, const Scenario& scenario) {
  std::printf("seed %llu, %d database(s), network %s, faults:\n",
              static_cast<unsigned long long>(scenario.seed), scenario.databases,
              scenario.storms ? "stormy" : "calm");
  for (const Fault& fault : scenario.faults) std::printf("  - %s\n", Describe(fault).c_str());
  if (scenario.faults.empty()) std::printf("  none\n");
  std::printf("\n");
  for (const std::string& line : result.story) std::printf("%s\n", line.c_str());
  std::printf("\n");
  if (!result.violation.has_value()) {
    std::printf("all rules hold: %d moves, %llu messages acknowledged, %.1f s of virtual time\n",
                result.moves, static_cast<unsigned long long>(result.acknowledged),
                static_cast<double>(result.took) / kSecond);
    return;
  }
  const CheckerInfo& info = InfoOf(result.violation->checker);
  std::printf("BROKEN: %s (%s)\n  wanted: %s\n  found:  %s\n", std::string(info.name).c_str(),
              std::string(info.rule).c_str(), std::string(info.sentence).c_str(),
              result.violation->what.c_str());
}

void Explain(const Scenario& failing, const Violation& violation) {
  Scenario shrunk = Shrink(failing, violation.checker);
  shrunk.told = true;
  std::printf("shrunk from %zu to %zu faults:\n\n", failing.faults.size(), shrunk.faults.size());
  PrintStory(RunScenario(shrunk), shrunk);
}

int RunMany(const Options& options) {
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t moves = 0;
  Coverage coverage;
  const auto began = std::chrono::steady_clock::now();
  for (uint64_t seed = options.first; seed <= options.last; ++seed) {
    const Scenario scenario = Make(seed, options.mutation);
    const Result result = RunScenario(scenario);
    coverage |= result.coverage;
    moves += static_cast<uint64_t>(std::max(0, result.moves - 1));
    if (!result.violation.has_value()) {
      ++passed;
      continue;
    }
    std::printf("seed %llu breaks %s: %s\n", static_cast<unsigned long long>(seed),
                std::string(InfoOf(result.violation->checker).name).c_str(),
                result.violation->what.c_str());
    if (failed++ == 0) Explain(scenario, *result.violation);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%.1f s, %.0f switchovers/s, %zu of %d cells covered\n", took.count(),
              static_cast<double>(moves) / took.count(), coverage.count(), kCells);
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace baton::sim

int main(int argc, char** argv) {
  using namespace baton::sim;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  CLI::App app{"Simulates moves of a pool, with faults, from seeds."};
  uint64_t seed = 0;
  std::string range;
  std::string mutation;
  auto* one = app.add_option("--seed", seed, "one seed, with its story");
  app.add_option("--seeds", range, "A..B: many seeds, and the story of the first that fails");
  app.add_option("--mutation", mutation, "a deliberately broken build");
  CLI11_PARSE(app, argc, argv);
  Options options;
  if (!mutation.empty()) options.mutation = *FindMutation(mutation);
  if (one->count() > 0) {
    Scenario scenario = Make(seed, options.mutation);
    scenario.told = true;
    const Result result = RunScenario(scenario);
    PrintStory(result, scenario);
    return result.violation.has_value() ? 1 : 0;
  }
  const std::vector<std::string> ends = absl::StrSplit(range, "..");
  options.first = std::stoull(ends[0]);
  options.last = std::stoull(ends.back());
  return RunMany(options);
}
