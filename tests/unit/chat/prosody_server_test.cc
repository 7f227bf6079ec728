#include "agent/chat/prosody_server.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/chat/fake_host.h"

namespace baton::chat {
namespace {

using ::testing::HasSubstr;

ChatSight Serving() {
  ChatStatus status;
  status.accepting = true;
  status.users = 2;
  status.sessions = 3;
  status.rooms = 1;
  status.instance = "sql1";
  status.database_connected = true;
  return {ServiceStatus{true, true, 42, "", ""}, status, absl::OkStatus(), HostId("sql1")};
}

ChatSight Silent(bool running) {
  ChatSight sight = Serving();
  sight.service->running = running;
  sight.control = absl::UnavailableError("nobody listens");
  return sight;
}

TEST(JudgeTest, ServingAndDrainingAreTheServersOwnWord) {
  ChatObservation seen = Judge(Serving());
  EXPECT_EQ(seen.state, ChatState::kServing);
  EXPECT_EQ(seen.points_at, HostId("sql1"));
  EXPECT_EQ(seen.users, 2u);
  EXPECT_EQ(seen.sessions, 3u);
  EXPECT_EQ(seen.rooms, 1u);
  EXPECT_EQ(seen.problem, "");
  ChatSight draining = Serving();
  draining.control->accepting = false;
  EXPECT_EQ(Judge(draining).state, ChatState::kDraining);
}

TEST(JudgeTest, DownNeedsManagerAndPort) {
  EXPECT_EQ(Judge(Silent(false)).state, ChatState::kDown);
  EXPECT_EQ(Judge(Silent(false)).problem, "");
  ChatSight foreign = Silent(false);
  foreign.refuses_clients = absl::FailedPreconditionError("still accepts connections");
  EXPECT_EQ(Judge(foreign).state, ChatState::kUnknown);
  EXPECT_THAT(Judge(foreign).problem, HasSubstr("still accepts"));
  ChatSight unmanaged = Silent(false);
  unmanaged.service = absl::UnavailableError("no supervisor");
  EXPECT_EQ(Judge(unmanaged).state, ChatState::kUnknown);
  EXPECT_THAT(Judge(unmanaged).problem, HasSubstr("no supervisor"));
}

TEST(JudgeTest, ASilentProcessIsUnknown) {
  const ChatObservation seen = Judge(Silent(true));
  EXPECT_EQ(seen.state, ChatState::kUnknown);
  EXPECT_THAT(seen.problem, HasSubstr("pid 42"));
}

TEST(JudgeTest, SaysWhyTheLastStartWasRefused) {
  ChatSight sight = Silent(false);
  sight.service->refused = "the fence is closed";
  EXPECT_THAT(Judge(sight).problem, HasSubstr("the fence is closed"));
}

TEST(JudgeTest, RunningServerCountsOverItsFile) {
  ChatSight sight = Serving();
  sight.in_file = HostId("sql2");
  EXPECT_EQ(Judge(sight).points_at, HostId("sql1"));
  EXPECT_THAT(Judge(sight).problem, HasSubstr("\"sql2\""));
  sight.in_file = absl::DataLossError("changed by hand");
  EXPECT_EQ(Judge(sight).points_at, HostId("sql1"));
  EXPECT_THAT(Judge(sight).problem, HasSubstr("changed by hand"));
}

TEST(JudgeTest, NoFileMeansPointsNowhere) {
  ChatSight sight = Silent(false);
  sight.in_file = absl::NotFoundError("no such file");
  EXPECT_TRUE(Judge(sight).points_at.empty());
  EXPECT_EQ(Judge(sight).problem, "");
}

TEST(JudgeTest, ServingWithoutDatabaseIsAProblem) {
  ChatSight sight = Serving();
  sight.control->database_connected = false;
  EXPECT_EQ(Judge(sight).state, ChatState::kServing);
  EXPECT_THAT(Judge(sight).problem, HasSubstr("no connection to its database"));
}

TEST(ProsodyServerTest, ObservesItsFence) {
  test::FakeHost host;
  EXPECT_FALSE(host.Server().Observe(absl::Seconds(5)).fence.file_readable);
  FenceRecord record;
  record.phase = FencePhase::kOpen;
  record.fence_epoch = {1, 7};
  record.write = Lineage{"", {1, 7}, HostId("chat1"), ShareId(), std::nullopt};
  record.confirmed_boot = BootId("boot-1");
  host.fences.record = record;
  Observation seen = host.Server().Observe(absl::Seconds(5));
  EXPECT_EQ(seen.fence.phase, FencePhase::kOpen);
  EXPECT_EQ(seen.fence.write_epoch, (Epoch{1, 7}));
  EXPECT_TRUE(seen.service_managed);
  record.confirmed_boot = BootId("boot-0");
  host.fences.record = record;
  EXPECT_EQ(host.Server().Observe(absl::Seconds(5)).fence.phase, FencePhase::kUnconfirmed);
  record.phase = FencePhase::kClosed;
  host.fences.record = record;
  EXPECT_TRUE(host.Server().Observe(absl::Seconds(5)).fence.proven);
  host.fences.proof = absl::DeadlineExceededError("pid 42 holds it");
  EXPECT_FALSE(host.Server().Observe(absl::Seconds(5)).fence.proven);
}

}  // namespace
}  // namespace baton::chat
