// What is found again after a crash.
#include <memory>

#include "gtest/gtest.h"

#include "agent/chat/database_file.h"
#include "agent/chat/prosody_actions.h"
#include "tests/unit/chat/fake_host.h"

namespace baton::chat {
namespace {

class ChatLookTest : public ::testing::Test {
 protected:
  absl::Status Look(Action action) {
    const ProsodyServer server = host_.Server();
    Command command;
    command.epoch = {1, 5};
    command.timeout = absl::Seconds(10);
    command.action = std::move(action);
    Interruption interruption;
    ActionContext context(&server, &command, &interruption, nullptr);
    return LookFor(&context);
  }

  test::FakeHost host_;
};

TEST_F(ChatLookTest, DeactivatedNeedsFenceStopAndProof) {
  EXPECT_FALSE(Look(Deactivate{}).ok()) << "no fence file";
  FenceRecord record;
  record.phase = FencePhase::kClosed;
  record.fence_epoch = {1, 5};
  host_.fences.record = record;
  EXPECT_TRUE(Look(Deactivate{}).ok());
  host_.service.status.running = true;
  EXPECT_FALSE(Look(Deactivate{}).ok());
  host_.service.status.running = false;
  host_.fences.proof = absl::DeadlineExceededError("pid 42");
  EXPECT_FALSE(Look(Deactivate{}).ok());
  host_.fences.proof = absl::OkStatus();
  record.fence_epoch = {1, 4};
  host_.fences.record = record;
  EXPECT_FALSE(Look(Deactivate{}).ok()) << "an older fence is not this one";
}

TEST_F(ChatLookTest, PointedNeedsTheWholeFile) {
  EXPECT_FALSE(Look(PointAt{HostId("sql1")}).ok());
  const auto text = DatabaseFileFor(host_.Server().config(), HostId("sql1"));
  ASSERT_TRUE(text.ok()) << text.status();
  host_.Write("database.lua", *text);
  EXPECT_TRUE(Look(PointAt{HostId("sql1")}).ok());
  EXPECT_FALSE(Look(PointAt{HostId("sql2")}).ok());
  host_.Write("database.lua", text->substr(0, text->size() - 2));
  EXPECT_FALSE(Look(PointAt{HostId("sql1")}).ok());
}

TEST_F(ChatLookTest, StoppedServerIsDrainedButServesNobody) {
  EXPECT_TRUE(Look(Drain{}).ok());
  EXPECT_TRUE(Look(Stop{}).ok());
  EXPECT_FALSE(Look(Start{}).ok());
  EXPECT_FALSE(Look(Activate{}).ok());
}

TEST_F(ChatLookTest, CanaryLeavesNoTrace) { EXPECT_FALSE(Look(Canary{}).ok()); }

}  // namespace
}  // namespace baton::chat
