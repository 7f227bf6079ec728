#include "agent/chat/action_context.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/chat/fake_host.h"

namespace baton::chat {
namespace {

using ::testing::HasSubstr;

class ActionContextTest : public ::testing::Test {
 protected:
  ActionContextTest() { command_.timeout = absl::Seconds(10); }

  test::FakeHost host_;
  ProsodyServer server_ = host_.Server();
  Command command_;
  Interruption interruption_;
};

TEST_F(ActionContextTest, RefusalCountsOnlyWhileNothingWasDone) {
  ActionContext context(&server_, &command_, &interruption_, nullptr);
  EXPECT_EQ(context.OutcomeOf(Refusal("NO", "no"), "").code, OutcomeCode::kRefused);
  EXPECT_EQ(context.OutcomeOf(Refusal("NO", "no"), "").reason, "NO");
  context.Did("the door is open");
  const Outcome outcome = context.OutcomeOf(Refusal("NO", "no"), "");
  EXPECT_EQ(outcome.code, OutcomeCode::kFailed);
  EXPECT_THAT(outcome.message, HasSubstr("done: the door is open"));
}

TEST_F(ActionContextTest, TellsUnknownFromFailedAndCancelled) {
  ActionContext context(&server_, &command_, &interruption_, nullptr);
  EXPECT_EQ(context.OutcomeOf(Unsure("WHO_KNOWS", "?"), "").code, OutcomeCode::kUnknown);
  EXPECT_EQ(context.OutcomeOf(Failure("BROKEN", "x"), "").code, OutcomeCode::kFailed);
  EXPECT_EQ(context.OutcomeOf(absl::CancelledError("x"), "").code, OutcomeCode::kCancelled);
  EXPECT_EQ(context.OutcomeOf(absl::DeadlineExceededError("x"), "").reason, "DEADLINE_EXCEEDED");
  EXPECT_TRUE(context.OutcomeOf(absl::OkStatus(), "fine").ok());
}

TEST_F(ActionContextTest, EndsWhenCancelledOrOutOfTime) {
  ActionContext context(&server_, &command_, &interruption_, nullptr);
  EXPECT_TRUE(context.Live().ok());
  interruption_.Raise();
  EXPECT_TRUE(absl::IsCancelled(context.Wait(absl::Hours(1))));
  interruption_.Clear();
  host_.clock.step = absl::Seconds(20);
  EXPECT_EQ(context.Left(), absl::ZeroDuration());
  EXPECT_TRUE(absl::IsDeadlineExceeded(context.Live()));
}

}  // namespace
}  // namespace baton::chat
