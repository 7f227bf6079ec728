#include "tests/simulation/simulation.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

#include "tests/simulation/coverage.h"
#include "tests/simulation/scenario_file.h"

namespace baton::sim {
namespace {

constexpr uint64_t kCorpus = 2000;
constexpr std::clock_t kFreshFor = 60;  // seconds of this process's own time
constexpr uint64_t kFreshAtOnce = 100;
constexpr uint64_t kMutationSeedsMax = 1000;
constexpr uint64_t kCellSeeds = 6;

// The story of what failed, with the fewest faults.
std::string Explain(const Scenario& failing, const Violation& violation) {
  Scenario shrunk = Shrink(failing, violation.checker);
  shrunk.told = true;
  const Result result = RunScenario(shrunk);
  std::string text =
      absl::StrCat("seed ", failing.seed, " breaks ", std::string(InfoOf(violation.checker).name),
                   ": ", violation.what, "\n");
  for (const Fault& fault : shrunk.faults) absl::StrAppend(&text, "  - ", Describe(fault), "\n");
  return absl::StrCat(text, absl::StrJoin(result.story, "\n"));
}

void ExpectHolds(const Scenario& scenario) {
  const Result result = RunScenario(scenario);
  if (!result.violation.has_value()) return;
  ADD_FAILURE() << Explain(scenario, *result.violation);
}

uint64_t FreshBase() {
  const char* given = std::getenv("BATON_SIM_SEED");
  if (given != nullptr) return std::strtoull(given, nullptr, 10);
  return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

TEST(SimulationTest, FixedCorpusKeepsEveryRule) {
  for (uint64_t seed = 1; seed <= kCorpus && !HasFailure(); ++seed) ExpectHolds(MakeScenario(seed));
}

TEST(SimulationTest, FreshSeedsKeepEveryRule) {
  const uint64_t base = FreshBase();
  std::cout << "seeds from " << base << "\n";
  const std::clock_t began = std::clock();
  uint64_t next = base;
  while (!HasFailure() && (std::clock() - began) / CLOCKS_PER_SEC < kFreshFor) {
    const uint64_t end = next + kFreshAtOnce;
    for (; next < end && !HasFailure(); ++next) ExpectHolds(MakeScenario(next));
  }
  std::cout << "seeds " << base << ".." << next - 1 << "\n";
}

TEST(SimulationTest, SameSeedGivesSameTrace) {
  for (const uint64_t seed : {3, 17, 3792}) {
    Scenario scenario = MakeScenario(seed);
    scenario.trace = true;
    scenario.told = true;
    const Result once = RunScenario(scenario);
    const Result again = RunScenario(scenario);
    EXPECT_EQ(once.trace, again.trace);
    EXPECT_EQ(once.story, again.story);
    EXPECT_EQ(once.events, again.events);
    EXPECT_FALSE(once.trace.empty());
  }
}

TEST(SimulationTest, MovesThereAndBackWithoutFaults) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Scenario scenario = MakeScenario(seed);
    scenario.faults.clear();
    scenario.course = {PlanKind::kAdopt, PlanKind::kSwitchover, PlanKind::kSwitchover};
    scenario.bare = false;
    const Result result = RunScenario(scenario);
    EXPECT_FALSE(result.violation.has_value());
    EXPECT_EQ(result.moves, 3);
    EXPECT_GT(result.acknowledged, 0u);
  }
}

std::string ReadScenario(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string ScenarioFolder() {
  return absl::StrCat(BATON_SOURCE_DIR, "/tests/simulation/testdata");
}

class MutationTest : public testing::TestWithParam<MutationInfo> {};

TEST_P(MutationTest, IsCaughtByItsChecker) {
  if (!GetParam().scenario.empty()) {
    const std::string story =
        ReadScenario(absl::StrCat(ScenarioFolder(), "/", std::string(GetParam().scenario), ".txt"));
    const absl::Status told =
        RunScenarioFile(absl::StrCat("mutation ", std::string(GetParam().name), "\n", story));
    EXPECT_EQ(told.code(), absl::StatusCode::kInternal);
    const std::string breaks = absl::StrCat("breaks ", std::string(GetParam().checker), ": ");
    EXPECT_NE(told.message().find(breaks), std::string::npos) << told.message();
    return;
  }
  for (uint64_t seed = 1; seed <= kMutationSeedsMax; ++seed) {
    const Result result = RunScenario(MakeScenario(seed, GetParam().mutation));
    if (result.violation.has_value() &&
        InfoOf(result.violation->checker).name == GetParam().checker) {
      std::cout << "caught by seed " << seed << ": " << result.violation->what << "\n";
      return;
    }
  }
  FAIL() << "not caught by " << GetParam().checker << " within " << kMutationSeedsMax << " seeds";
}

INSTANTIATE_TEST_SUITE_P(All, MutationTest,
                         testing::ValuesIn(AllMutations().begin(), AllMutations().end()),
                         [](const testing::TestParamInfo<MutationInfo>& tested) {
                           std::string name(tested.param.name);
                           std::erase(name, '-');
                           return name;
                         });

TEST(CheckerTest, EachIsProvenByAMutation) {
  std::set<std::string_view> proven;
  for (const MutationInfo& info : AllMutations()) proven.insert(info.checker);
  for (int i = 0; i < kCheckers; ++i) {
    EXPECT_TRUE(proven.contains(InfoOf(static_cast<Checker>(i)).name))
        << InfoOf(static_cast<Checker>(i)).name;
  }
}

// The shortest run in which a step of this kind is taken, and in which of its moves.
Scenario RunWith(int step, int* move) {
  using K = PlanKind;
  const std::set<std::string_view> failover = {"StopLogShipping", "SalvageLogs"};
  const std::set<std::string_view> seeding = {"Stop", "ConfigureLogShipping", "Quarantine", "Seed"};
  const std::string_view name = StepKindName(step);
  Scenario scenario;
  *move = name == "Unfence" ? 0 : 1;
  if (failover.contains(name)) {
    scenario.course = {K::kAdopt, K::kFailover};
    scenario.loss = Loss::kDatabase;
  } else if (seeding.contains(name)) {
    scenario.course = {K::kAdopt, K::kFailover, K::kFailback};
    *move = 2;
  } else if (name == "RemoveQuarantine") {
    scenario.course = {K::kAdopt, K::kFailover, K::kFailback, K::kRemoveQuarantine};
    *move = 3;
  }
  scenario.loss_delay = 700 * kMilli;
  scenario.loss_lasts = 12 * kSecond;
  return scenario;
}

// One run for each cell: the fault meets the step just there.
TEST(CoverageTest, EveryFaultMeetsEveryStepAtEveryPoint) {
  Coverage covered;
  for (int cell = 0; cell < kCells && !HasFailure(); ++cell) {
    Fault fault;
    fault.point = static_cast<Point>(cell % kPoints);
    fault.kind = static_cast<FaultKind>(cell / kPoints % kFaultKinds);
    fault.step = cell / kPoints / kFaultKinds;
    fault.lasts = 300 * kMilli;
    if (!WhyUnreachable(fault.step, fault.kind, fault.point).empty()) continue;
    Scenario scenario = RunWith(fault.step, &fault.move);
    scenario.faults = {fault};
    // Not every loss leaves something to quarantine.
    for (uint64_t seed = 0; seed < kCellSeeds && !covered.test(cell); ++seed) {
      scenario.seed = static_cast<uint64_t>(cell) * kCellSeeds + seed;
      const Result result = RunScenario(scenario);
      if (result.violation.has_value()) ADD_FAILURE() << Explain(scenario, *result.violation);
      covered |= result.coverage;
    }
  }
  EXPECT_EQ(absl::StrJoin(Holes(covered), "\n"), "");
}

// A journal, a ledger and a fence file that are cut off at each of their writes and syncs.
class DurabilityTest : public testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(DurabilityTest, SurvivesACutAtEverySyncPoint) {
  const auto [power, failover] = GetParam();
  Scenario scenario;
  scenario.seed = 11;
  if (failover) {
    scenario.course = {PlanKind::kAdopt, PlanKind::kFailover, PlanKind::kFailback};
    scenario.loss_delay = 700 * kMilli;
    scenario.loss_lasts = 12 * kSecond;
  }
  const int64_t points = RunScenario(scenario).sync_points;
  ASSERT_GT(points, 100);
  scenario.cut_power = power;
  std::set<SyncPoint> cut;
  for (scenario.cut_at = 0; scenario.cut_at < points && !HasFailure(); ++scenario.cut_at) {
    SCOPED_TRACE(absl::StrCat("cut at sync point ", scenario.cut_at));
    const Result result = RunScenario(scenario);
    if (result.violation.has_value()) ADD_FAILURE() << Explain(scenario, *result.violation);
    if (result.cut.has_value()) cut.insert(*result.cut);
  }
  EXPECT_EQ(cut.size(), kSyncPoints);
}

INSTANTIATE_TEST_SUITE_P(Cuts, DurabilityTest, testing::Combine(testing::Bool(), testing::Bool()),
                         [](const testing::TestParamInfo<std::tuple<bool, bool>>& tested) {
                           const bool failover = std::get<1>(tested.param);
                           return absl::StrCat(std::get<0>(tested.param) ? "Power" : "Process",
                                               failover ? "InAFailover" : "");
                         });

class ScenarioFileTest : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioFileTest, KeepsEveryRule) {
  const absl::Status told = RunScenarioFile(ReadScenario(GetParam()));
  EXPECT_TRUE(told.ok()) << GetParam() << ": " << told.message();
}

std::vector<std::string> ScenarioFiles() {
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(ScenarioFolder())) {
    if (entry.path().extension() == ".txt") found.insert(entry.path());
  }
  return {found.begin(), found.end()};
}

INSTANTIATE_TEST_SUITE_P(Files, ScenarioFileTest, testing::ValuesIn(ScenarioFiles()),
                         [](const testing::TestParamInfo<std::string>& tested) {
                           return std::filesystem::path(tested.param).stem().string();
                         });

TEST(ScenarioFileTest, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(RunScenarioFile("dance\n").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RunScenarioFile("move 1\n").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RunScenarioFile("fault flood hq-sql1 5 ms\nheal, until in sync\n").code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace baton::sim
