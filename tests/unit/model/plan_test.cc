#include "coordinator/model/plan.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

const LogPosition kFinal{3, 0x5000028};

Lineage LineageOf(const char* host) {
  return {"7001", {1, 1}, HostId(host), ShareId("logs"), std::nullopt};
}

TEST(BindInputTest, ApplyWaitsForThePosition) {
  const Action bound = BindInput(ApplyPendingLogs{}, kFinal);
  EXPECT_EQ(std::get<ApplyPendingLogs>(bound).until, kFinal);
}

TEST(BindInputTest, CopySealsTheLastLineageOnly) {
  const Action bound = BindInput(CopyPendingLogs{{LineageOf("a"), LineageOf("b")}}, kFinal);
  const auto& fetch = std::get<CopyPendingLogs>(bound).fetch;
  EXPECT_FALSE(fetch[0].sealed.has_value());
  EXPECT_EQ(fetch[1].sealed, kFinal);
}

TEST(BindInputTest, NewStandbySealsTheLineageBeforeTheOneItFollows) {
  const Action bound = BindInput(StartStandby{{LineageOf("a"), LineageOf("b")}}, kFinal);
  const auto& fetch = std::get<StartStandby>(bound).fetch;
  EXPECT_EQ(fetch[0].sealed, kFinal);
  EXPECT_FALSE(fetch[1].sealed.has_value());
}

TEST(BindInputTest, NothingToSealIsLeftAlone) {
  const Action copy = BindInput(CopyPendingLogs{}, kFinal);
  EXPECT_TRUE(std::get<CopyPendingLogs>(copy).fetch.empty());
  const Action standby = BindInput(StartStandby{{LineageOf("a")}}, kFinal);
  EXPECT_FALSE(std::get<StartStandby>(standby).fetch[0].sealed.has_value());
  EXPECT_TRUE(std::holds_alternative<Fence>(BindInput(Fence{}, kFinal)));
}

TEST(PlanTest, OnlyEndedStatesAreTerminal) {
  for (PlanState state : {PlanState::kRunning, PlanState::kWaiting, PlanState::kUndoing}) {
    EXPECT_FALSE(Terminal(state));
  }
  for (PlanState state : {PlanState::kSucceeded, PlanState::kUndone, PlanState::kFailed}) {
    EXPECT_TRUE(Terminal(state));
  }
}

TEST(RefusalTest, SaysWhatWasFoundWantedAndIsNext) {
  EXPECT_EQ(Describe(Refusal{"RULE", "host/mgc", "this", "that", "baton status"}),
            "RULE host/mgc: found this; wanted that; next: baton status");
  EXPECT_EQ(Describe(Refusal{"RULE", "host/mgc", "this", "that", ""}),
            "RULE host/mgc: found this; wanted that");
}

}  // namespace
}  // namespace baton
