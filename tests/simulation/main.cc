// baton-sim: runs simulations from the command line (tests/sim.sh).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"

#include "common/base/mutex.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/scenario_file.h"
#include "tests/simulation/simulation.h"

namespace baton::sim {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
// How often a long run says how far it is: on a terminal, and into a file.
constexpr std::chrono::seconds kTerminalEvery(1);
constexpr std::chrono::seconds kLogEvery(30);

struct Options {
  uint64_t first = 0;
  uint64_t last = 0;
  int jobs = 1;
  Mutation mutation = Mutation::kNone;
  bool coverage = false;
  std::string trace_file;
};

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

void PrintStory(const Result& result, const Scenario& scenario) {
  Print(absl::StrCat("seed ", scenario.seed, ", ", scenario.databases, " database(s), a network ",
                     scenario.storms ? "that delays, loses and doubles" : "that works",
                     ". What goes wrong:\n"));
  for (const Fault& fault : scenario.faults) Print(absl::StrCat("  - ", Describe(fault), "\n"));
  if (scenario.faults.empty()) Print("  - nothing\n");
  if (scenario.mutation != Mutation::kNone) {
    for (const MutationInfo& info : AllMutations()) {
      if (info.mutation != scenario.mutation) continue;
      Print(absl::StrCat("The build is broken on purpose: ", std::string(info.what), ".\n"));
    }
  }
  Print("\nseconds  what happened (!!! a fault, --- the end of all faults, *** a broken rule)\n");
  for (const std::string& line : result.story) Print(line + "\n");
  if (!result.violation.has_value()) {
    Print(absl::StrCat("\nEvery rule holds: ", result.moves, " plans succeeded, ",
                       result.acknowledged, " messages acknowledged and none lost.\n"));
    return;
  }
  const CheckerInfo& info = InfoOf(result.violation->checker);
  Print(absl::StrCat("\nBROKEN  ", std::string(info.name), " (", std::string(info.rule),
                     ")\nwanted  ", std::string(info.sentence), "\nfound   ",
                     result.violation->what, "\n"));
}

void Explain(const Scenario& failing, const Violation& violation) {
  Scenario shrunk = Shrink(failing, violation.checker);
  shrunk.told = true;
  Print(absl::StrCat("seed ", failing.seed, " fails; of its ", failing.faults.size(), " faults ",
                     shrunk.faults.size(), " are enough:\n\n"));
  PrintStory(RunScenario(shrunk), shrunk);
  Print("\n");
}

struct Tally {
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t moves = 0;
  uint64_t first_failed = 0;
  Coverage coverage;
};

// What people see while many seeds run: each failing seed as it is found, and how far the run is,
// in a line of its own on a terminal. Thread-safe.
class Watcher {
 public:
  explicit Watcher(uint64_t seeds)
      : seeds_(seeds),
        terminal_(isatty(STDERR_FILENO) != 0),
        next_(std::chrono::steady_clock::now() + Every()) {}
  ~Watcher() { ClearLine(); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // `broken` is null when every rule held.
  void Ended(uint64_t seed, const Violation* broken) {
    const MutexLock lock(&mutex_);
    ++ended_;
    if (broken != nullptr) {
      ++failed_;
      ClearLine();
      Print(absl::StrCat("seed ", seed, " breaks ", std::string(InfoOf(broken->checker).name), ": ",
                         broken->what, "\n"));
      std::fflush(stdout);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + Every();
    std::fprintf(stderr, "%s%s%s", terminal_ ? "\r" : "",
                 absl::StrCat(ended_, " of ", seeds_, " seeds, ", failed_, " failed").c_str(),
                 terminal_ ? "" : "\n");
    shown_ = terminal_;
  }

 private:
  std::chrono::seconds Every() const { return terminal_ ? kTerminalEvery : kLogEvery; }
  void ClearLine() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
  }

  const uint64_t seeds_;
  const bool terminal_;
  Mutex mutex_;
  std::chrono::steady_clock::time_point next_;
  uint64_t ended_ = 0;
  uint64_t failed_ = 0;
  bool shown_ = false;  // a progress that the next line has to take away
};

// Every `step`-th seed from `first` on.
void RunShare(const Options& options, uint64_t first, uint64_t step, Watcher* watcher,
              Tally* tally) {
  for (uint64_t seed = first; seed <= options.last; seed += step) {
    const Result result = RunScenario(MakeScenario(seed, options.mutation));
    tally->coverage |= result.coverage;
    tally->moves += static_cast<uint64_t>(std::max(0, result.moves - 1));
    if (!result.violation.has_value()) {
      ++tally->passed;
    } else if (tally->failed++ == 0) {
      tally->first_failed = seed;
    }
    watcher->Ended(seed, result.violation.has_value() ? &*result.violation : nullptr);
  }
}

// The first share runs in this thread: a process without others needs no atomic counts.
Tally RunShares(const Options& options) {
  Watcher watcher(options.last - options.first + 1);
  std::vector<Tally> tallies(static_cast<size_t>(options.jobs));
  std::vector<std::thread> threads;
  const auto run = [&](int share) {
    RunShare(options, options.first + share, options.jobs, &watcher,
             &tallies[static_cast<size_t>(share)]);
  };
  for (int i = 1; i < options.jobs; ++i) threads.emplace_back(run, i);
  run(0);
  for (std::thread& thread : threads) thread.join();
  Tally all;
  for (const Tally& tally : tallies) {
    if (tally.failed > 0 && (all.failed == 0 || tally.first_failed < all.first_failed)) {
      all.first_failed = tally.first_failed;
    }
    all.passed += tally.passed;
    all.failed += tally.failed;
    all.moves += tally.moves;
    all.coverage |= tally.coverage;
  }
  return all;
}

int RunMany(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const Tally all = RunShares(options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  if (all.failed > 0) {
    const Scenario failing = MakeScenario(all.first_failed, options.mutation);
    Explain(failing, *RunScenario(failing).violation);
  }
  if (options.coverage) Print(CoverageReport(all.coverage));
  Print(absl::StrCat(all.moves, " switchovers in ", static_cast<int64_t>(took.count() * 10) / 10.0,
                     " s: ", static_cast<int64_t>(all.moves / std::max(took.count(), 1e-3)),
                     " per second\n", all.passed, " passed, ", all.failed, " failed\n"));
  return all.failed == 0 ? 0 : kExitFailed;
}

int RunOne(const Options& options) {
  Scenario scenario = MakeScenario(options.first, options.mutation);
  scenario.told = true;
  scenario.trace = !options.trace_file.empty();
  const Result result = RunScenario(scenario);
  PrintStory(result, scenario);
  if (scenario.trace) {
    std::ofstream file(options.trace_file);
    for (const std::string& line : result.trace) file << line << "\n";
    if (!file.flush()) {
      std::fprintf(stderr, "cannot write %s\n", options.trace_file.c_str());
      return kExitUsage;
    }
  }
  return result.violation.has_value() ? kExitFailed : 0;
}

int RunFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return kExitUsage;
  }
  const absl::Status told = RunScenarioFile(text.str());
  if (told.ok()) {
    Print(absl::StrCat(path, ": every rule holds\n"));
    return 0;
  }
  Print(absl::StrCat(path, ": ", std::string(told.message()), "\n"));
  return absl::IsInternal(told) ? kExitFailed : kExitUsage;
}

void ListMutations() {
  for (const MutationInfo& info : AllMutations()) {
    Print(absl::StrCat(std::string(info.name), ": ", std::string(info.what), "; caught by ",
                       std::string(info.checker), "\n"));
  }
}

bool ParseRange(const std::string& text, Options* options) {
  const size_t dots = text.find("..");
  return dots != std::string::npos && absl::SimpleAtoi(text.substr(0, dots), &options->first) &&
         absl::SimpleAtoi(text.substr(dots + 2), &options->last) && options->first <= options->last;
}

int Usage(const std::string& problem) {
  std::fprintf(stderr, "baton-sim: %s; see --help\n", problem.c_str());
  return kExitUsage;
}

}  // namespace
}  // namespace baton::sim

int main(int argc, char** argv) {
  using namespace baton::sim;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  CLI::App app{"Moves a pool there and back while things go wrong, and checks the rules."};
  Options options;
  std::string range;
  std::string mutation;
  std::string scenario;
  bool list = false;
  auto* one = app.add_option("--seed", options.first, "one seed: replays it and tells its story");
  app.add_option("--seeds", range, "A..B: many seeds; tells the shrunk story of the first failure")
      ->excludes(one);
  app.add_option("--jobs", options.jobs, "how many seeds at once")->check(CLI::Range(1, 256));
  app.add_option("--mutation", mutation, "runs a build that is broken on purpose");
  app.add_option("--trace", options.trace_file, "with --seed: writes records and oracle events");
  app.add_option("--scenario", scenario, "a story of tests/simulation/testdata");
  app.add_flag("--coverage", options.coverage, "with --seeds: prints step x fault x point");
  app.add_flag("--list-mutations", list, "names them, and the checker that catches each");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    ListMutations();
    return 0;
  }
  if (!scenario.empty()) return RunFile(scenario);
  if (!mutation.empty()) {
    const auto found = FindMutation(mutation);
    if (!found.has_value()) return Usage("no mutation is called " + mutation);
    options.mutation = *found;
  }
  if (one->count() > 0) return RunOne(options);
  if (!ParseRange(range, &options)) return Usage("wanted --seed N or --seeds A..B");
  return RunMany(options);
}
