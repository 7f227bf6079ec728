#include "coordinator/executor/transitions.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(TransitionsTest, EveryStateHasExactlyOneRowForEveryEvent) {
  for (int state = 0; state < kStepStates; ++state) {
    for (int event = 0; event < kStepEvents; ++event) {
      int rows = 0;
      for (const Transition& row : kTransitions) {
        if ((row.states >> state & 1) != 0 && (row.events >> event & 1) != 0) ++rows;
      }
      EXPECT_EQ(rows, 1) << ToString(static_cast<StepState>(state)) << ", event " << event;
    }
  }
}

TEST(TransitionsTest, EveryRowSaysWhyAndNamesNothingUnknown) {
  for (const Transition& row : kTransitions) {
    EXPECT_FALSE(row.why.empty());
    EXPECT_NE(row.states, 0u);
    EXPECT_NE(row.events, 0u);
    EXPECT_EQ(row.states >> kStepStates, 0u);
    EXPECT_EQ(row.events >> kStepEvents, 0u);
  }
}

TEST(TransitionsTest, TheCountsCoverTheEnumerations) {
  EXPECT_EQ(static_cast<int>(StepState::kSkipped) + 1, kStepStates);
  EXPECT_EQ(static_cast<int>(StepEvent::kReplayed) + 1, kStepEvents);
  EXPECT_EQ(ToString(static_cast<StepState>(kStepStates)), "invalid");
}

}  // namespace
}  // namespace baton
