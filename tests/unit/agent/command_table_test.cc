#include "agent/core/command_table.h"

#include <set>
#include <utility>

#include "gtest/gtest.h"

namespace baton::agent {
namespace {

TEST(CommandTableTest, EveryEventInEveryPhaseHasExactlyOneRowWithItsSentence) {
  std::set<std::pair<int, int>> seen;
  for (const CommandRow& row : kCommandTable) {
    EXPECT_TRUE(seen.insert({static_cast<int>(row.phase), static_cast<int>(row.event)}).second)
        << ToString(row.phase) << " × " << ToString(row.event) << " twice";
    EXPECT_GT(row.sentence.size(), 10u);
    EXPECT_EQ(row.sentence.back(), '.');
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kCommandPhases * kCommandEvents));
}

TEST(CommandTableTest, OnlyAnAbsentCommandIsAdmitted) {
  for (const CommandRow& row : kCommandTable) {
    EXPECT_EQ(row.reaction == Reaction::kAdmit,
              row.phase == CommandPhase::kAbsent && row.event == CommandEvent::kArrives);
  }
}

TEST(CommandTableTest, OutcomesAreReplayedOnlyWhereThereIsOne) {
  for (const CommandRow& row : kCommandTable) {
    if (row.reaction != Reaction::kReplayOutcome && row.reaction != Reaction::kSayFinished)
      continue;
    EXPECT_TRUE(row.phase == CommandPhase::kFinished || row.phase == CommandPhase::kRefused)
        << row.sentence;
  }
}

TEST(CommandTableTest, OnlyARunningCommandIsStopped) {
  for (const CommandRow& row : kCommandTable) {
    if (row.reaction != Reaction::kCancelAction) continue;
    EXPECT_EQ(row.phase, CommandPhase::kRunning);
  }
}

}  // namespace
}  // namespace baton::agent
