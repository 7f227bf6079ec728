// The actions where no chat server answers: what is refused, and what the fence says afterwards.
#include <future>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/chat/database_file.h"
#include "agent/chat/prosody_runner.h"
#include "tests/unit/chat/fake_host.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

class ProsodyActionsTest : public ::testing::Test {
 protected:
  ProsodyActionsTest() {
    absl::StatusOr<std::unique_ptr<ProsodyRunner>> runner = ProsodyRunner::Create(host_.host());
    EXPECT_TRUE(runner.ok()) << runner.status();
    runner_ = *std::move(runner);
  }

  Outcome Do(Action action) {
    Command command;
    command.id = CommandId("c1");
    command.epoch = {1, 5};
    command.timeout = absl::Seconds(10);
    command.action = std::move(action);
    std::promise<Outcome> done;
    runner_->Start(command, nullptr, [&](Outcome outcome) { done.set_value(std::move(outcome)); });
    return done.get_future().get();
  }

  Outcome Check(Action action) {
    std::promise<Outcome> done;
    runner_->Check(action, [&](Outcome outcome) { done.set_value(std::move(outcome)); });
    return done.get_future().get();
  }

  void SawEpoch(Epoch epoch) {
    FenceRecord record;
    record.fence_epoch = epoch;
    host_.fences.record = record;
  }

  test::FakeHost host_;
  std::unique_ptr<ProsodyRunner> runner_;
};

TEST_F(ProsodyActionsTest, LowerEpochIsRefusedAndChangesNothing) {
  SawEpoch({1, 6});
  for (const Action& action :
       {Action(Drain{}), Action(Deactivate{}), Action(PointAt{HostId("sql1")}), Action(Activate{}),
        Action(Start{}), Action(Stop{})}) {
    const Outcome outcome = Do(action);
    EXPECT_EQ(outcome.code, OutcomeCode::kRefused) << ActionName(action);
    EXPECT_EQ(outcome.reason, "STALE_EPOCH") << ActionName(action);
  }
  EXPECT_EQ(host_.fences.record->fence_epoch, (Epoch{1, 6}));
  EXPECT_EQ(host_.service.starts + host_.service.stops, 0);
}

TEST_F(ProsodyActionsTest, DeactivateClosesTheFenceBeforeItStops) {
  FenceRecord record;
  record.phase = FencePhase::kOpen;
  record.fence_epoch = {1, 4};
  record.write = Lineage{"", {1, 4}, HostId("chat1"), ShareId(), std::nullopt};
  record.ledger = LedgerId("ledger-1");
  host_.fences.record = record;
  host_.service.status.running = true;
  host_.service.stop_error = absl::DeadlineExceededError("it goes on");
  const Outcome stuck = Do(Deactivate{});
  EXPECT_EQ(stuck.code, OutcomeCode::kFailed);
  EXPECT_EQ(stuck.reason, "STOP_TIMED_OUT");
  EXPECT_EQ(host_.service.stops, 2) << "asked kindly, then killed";
  EXPECT_EQ(host_.fences.record->phase, FencePhase::kClosed);
  EXPECT_EQ(host_.fences.record->fence_epoch, (Epoch{1, 5}));
  EXPECT_FALSE(host_.fences.record->write.has_value());
  EXPECT_EQ(host_.fences.record->ledger, LedgerId("ledger-1"));
  host_.service.stop_error = absl::OkStatus();
  EXPECT_TRUE(Do(Deactivate{}).ok());
}

TEST_F(ProsodyActionsTest, DeactivateDoesNotStopWhatItCouldNotFence) {
  host_.service.status.running = true;
  host_.fences.write_error = absl::ResourceExhaustedError("disk full");
  const Outcome outcome = Do(Deactivate{});
  EXPECT_EQ(outcome.code, OutcomeCode::kFailed);
  EXPECT_THAT(outcome.message, HasSubstr("disk full"));
  EXPECT_EQ(host_.service.stops, 0);
}

TEST_F(ProsodyActionsTest, ProcessThatOutlivesItsStopIsNoProof) {
  host_.fences.proof = absl::DeadlineExceededError("pid 42 holds the lock");
  const Outcome outcome = Do(Deactivate{});
  EXPECT_EQ(outcome.reason, "STILL_ALIVE");
  EXPECT_THAT(outcome.message, HasSubstr("pid 42"));
}

TEST_F(ProsodyActionsTest, PointAtWritesAndIsRefusedWhileTheServerRuns) {
  EXPECT_TRUE(Do(PointAt{HostId("sql1")}).ok());
  host_.service.status.running = true;
  EXPECT_TRUE(Do(PointAt{HostId("sql1")}).ok()) << "nothing to change";
  EXPECT_EQ(Do(PointAt{HostId("sql2")}).reason, "RUNNING");
  host_.service.status.running = false;
  EXPECT_TRUE(Do(PointAt{HostId("sql2")}).ok());
  const absl::StatusOr<HostId> instance = chat::ReadInstance(host_.Server().config());
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(*instance, HostId("sql2"));
  EXPECT_EQ(Do(PointAt{HostId("sql3")}).reason, "UNKNOWN_INSTANCE");
}

TEST_F(ProsodyActionsTest, ActivateOpensTheFenceForThisBootThenStarts) {
  EXPECT_EQ(Do(Activate{}).reason, "NOT_POINTED");
  EXPECT_FALSE(host_.fences.record.ok());
  ASSERT_TRUE(Do(PointAt{HostId("sql1")}).ok());
  host_.service.start_error = absl::FailedPreconditionError("the gate refused");
  const Outcome outcome = Do(Activate{});
  EXPECT_EQ(outcome.code, OutcomeCode::kFailed) << "the fence was opened: something was done";
  EXPECT_THAT(outcome.message, HasSubstr("the gate refused"));
  ASSERT_TRUE(host_.fences.record.ok());
  EXPECT_EQ(host_.fences.record->phase, FencePhase::kOpen);
  EXPECT_EQ(host_.fences.record->confirmed_boot, BootId("boot-1"));
  ASSERT_TRUE(host_.fences.record->write.has_value());
  EXPECT_EQ(host_.fences.record->write->epoch, (Epoch{1, 5}));
  EXPECT_EQ(host_.fences.record->write->instance, HostId("chat1"));
}

TEST_F(ProsodyActionsTest, StartedServerThatNeverServesIsAFailure) {
  ASSERT_TRUE(Do(PointAt{HostId("sql1")}).ok());
  host_.clock.step = absl::Milliseconds(200);
  const Outcome outcome = Do(Activate{});
  EXPECT_EQ(outcome.code, OutcomeCode::kFailed);
  EXPECT_EQ(outcome.reason, "DEADLINE_EXCEEDED");
  EXPECT_EQ(host_.service.starts, 1);
}

TEST_F(ProsodyActionsTest, DryRunChangesNothing) {
  EXPECT_TRUE(Check(PointAt{HostId("sql1")}).ok());
  EXPECT_TRUE(Check(Activate{}).ok());
  EXPECT_TRUE(Check(Deactivate{}).ok());
  EXPECT_TRUE(Check(CheckChat{false}).ok());
  EXPECT_FALSE(host_.fences.record.ok());
  EXPECT_FALSE(chat::ReadInstance(host_.Server().config()).ok());
  EXPECT_EQ(host_.service.starts + host_.service.stops, 0);
}

TEST_F(ProsodyActionsTest, DryRunNamesWhatIsMissing) {
  EXPECT_EQ(Check(PointAt{HostId("sql3")}).reason, "UNKNOWN_INSTANCE");
  EXPECT_EQ(Check(CheckChat{true}).reason, "CONTROL_UNREACHABLE");
  EXPECT_EQ(Check(ShipTail{}).reason, "UNSUPPORTED_ACTION");
  host_.service.status.managed = false;
  EXPECT_EQ(Check(Activate{}).reason, "NOT_MANAGED");
  EXPECT_EQ(Check(Activate{}).code, OutcomeCode::kRefused);
}

}  // namespace
}  // namespace baton
