#include "tests/simulation/trace.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton::sim {
namespace {

template <size_t... I>
std::vector<Fact> MakeEach(std::index_sequence<I...>) {
  return {Fact(std::in_place_index<I>)...};
}

std::vector<Fact> EveryFact() {
  std::vector<Fact> facts = MakeEach(std::make_index_sequence<std::variant_size_v<Fact>>());
  for (Fact& fact : facts) {
    if (auto* admitted = std::get_if<PlanAdmitted>(&fact)) {
      admitted->plan = std::make_shared<const Plan>();
    }
  }
  return facts;
}

TEST(TraceTest, EveryFactHasAWordOfItsOwn) {
  std::set<std::string> words;
  for (const Fact& fact : EveryFact()) {
    const std::vector<std::string> lines = TraceRecord({3, absl::UnixEpoch(), fact});
    ASSERT_EQ(lines.size(), 1u);
    const std::vector<std::string> line = absl::StrSplit(lines[0], ' ');
    ASSERT_GE(line.size(), 3u) << lines[0];
    EXPECT_EQ(line[0], "record");
    EXPECT_EQ(line[1], "3");
    EXPECT_EQ(line[2] == "other", std::holds_alternative<TopologyApplied>(fact)) << lines[0];
    EXPECT_TRUE(words.insert(line[2]).second) << lines[0];
  }
}

TEST(TraceTest, TellsOfAPlanWhatChangesItsCourse) {
  const PlanId plan("p7");
  const auto tell = [](Fact fact) {
    return TraceRecord({9, absl::UnixEpoch(), std::move(fact)}).front();
  };
  EXPECT_EQ(tell(PlanPaused{plan, "operator", "", ""}), "record 9 plan-paused p7");
  EXPECT_EQ(tell(StepSkipped{plan, 4, "operator", "", ""}), "record 9 step-skipped p7 4");
  EXPECT_EQ(tell(AbortStarted{plan, "operator", "", ""}), "record 9 abort-started p7");
  EXPECT_EQ(tell(ReturnNoted{plan, HostId("hq-sql1"), ReturnState::kTakenForLost}),
            "record 9 return-noted p7 hq-sql1 taken-for-lost");
  EXPECT_EQ(tell(ReturnFenced{PoolId("chat"), {HostId("hq-sql1"), ResourceId("mgc")}, {1, 4}}),
            "record 9 return-fenced hq-sql1/mgc 1.4");
}

}  // namespace
}  // namespace baton::sim
