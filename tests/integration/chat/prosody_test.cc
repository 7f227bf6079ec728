// The Prosody runner and probe on a real chat server.
#include <fstream>
#include <memory>
#include <signal.h>
#include <sys/stat.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/chat/xmpp_stream.h"
#include "tests/integration/chat/chat_world.h"

namespace baton::test {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(20);

#define EXPECT_OUTCOME_OK(outcome)                                                 \
  do {                                                                             \
    const Outcome seen = (outcome);                                                \
    EXPECT_EQ(seen.code, OutcomeCode::kOk) << seen.reason << ": " << seen.message; \
  } while (false)

void ExpectOutcome(const Outcome& outcome, OutcomeCode code, const std::string& reason) {
  EXPECT_EQ(outcome.code, code) << outcome.message;
  EXPECT_EQ(outcome.reason, reason) << outcome.message;
}

TEST(ProsodyTest, ServesDrainsAndStopsForGood) {
  ChatWorld world;
  EXPECT_EQ(world.Observe().state, ChatState::kDown);
  EXPECT_OUTCOME_OK(world.Do(CheckChat{false}));
  ExpectOutcome(world.Do(Activate{}), OutcomeCode::kRefused, "NOT_POINTED");
  ExpectOutcome(world.Do(PointAt{HostId("sql9")}), OutcomeCode::kRefused, "UNKNOWN_INSTANCE");
  world.Serve();
  struct stat file = {};
  ASSERT_EQ(stat((world.folder() + "/etc/database.lua").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  EXPECT_OUTCOME_OK(world.Look(Activate{}));
  EXPECT_OUTCOME_OK(world.Do(CheckChat{true}));
  ExpectOutcome(world.Do(PointAt{HostId("sql2")}), OutcomeCode::kRefused, "RUNNING");

  std::vector<std::unique_ptr<ChatClient>> clients;
  for (const char* user : {"ann", "ann", "bob"}) {
    clients.push_back(world.Join(user));
    ASSERT_TRUE(clients.back()->WaitUntilInRoom(kPatience));
  }
  ChatObservation seen = world.Observe();
  EXPECT_EQ(seen.state, ChatState::kServing);
  EXPECT_EQ(seen.points_at, HostId("sql1"));
  EXPECT_EQ(seen.users, 2u);
  EXPECT_EQ(seen.sessions, 3u);
  EXPECT_EQ(seen.rooms, 1u);
  EXPECT_EQ(seen.problem, "");

  EXPECT_OUTCOME_OK(world.Do(Drain{}));
  for (const auto& client : clients) {
    EXPECT_TRUE(client->WaitUntilGone(kPatience));
    EXPECT_TRUE(client->was_told());
  }
  const auto late = world.Join("ann");
  EXPECT_TRUE(late->WaitUntilGone(kPatience));
  EXPECT_FALSE(late->was_in_room());
  seen = world.Observe();
  EXPECT_EQ(seen.state, ChatState::kDraining);
  EXPECT_EQ(seen.sessions, 0u);
  EXPECT_OUTCOME_OK(world.Look(Drain{}));

  EXPECT_OUTCOME_OK(world.Do(Activate{}));
  EXPECT_EQ(world.Observe().state, ChatState::kServing);
  const auto back = world.Join("bob");
  EXPECT_TRUE(back->WaitUntilInRoom(kPatience));

  world.epoch = {1, 2};
  EXPECT_OUTCOME_OK(world.Do(Deactivate{}));
  EXPECT_TRUE(back->WaitUntilGone(kPatience));
  EXPECT_OUTCOME_OK(world.Look(Deactivate{}));
  EXPECT_EQ(world.Observe().state, ChatState::kDown);
  // The backend of a process that is gone notices it a moment later.
  EXPECT_TRUE(
      world.SqlBecomes("SELECT count(*) FROM pg_stat_activity WHERE usename = 'chat'", "0"));
  const absl::StatusOr<FenceRecord> fence = world.fences().Read();
  ASSERT_TRUE(fence.ok()) << fence.status();
  EXPECT_EQ(fence->phase, FencePhase::kClosed);
  EXPECT_FALSE(fence->write.has_value());
  EXPECT_FALSE(world.Do(Start{}).ok());
  EXPECT_EQ(world.Observe().state, ChatState::kDown);
  world.epoch = {1, 1};
  ExpectOutcome(world.Do(Activate{}), OutcomeCode::kRefused, "STALE_EPOCH");
}

TEST(ProsodyTest, CanaryTellsWhatIsWrong) {
  ChatWorld world;
  ExpectOutcome(world.Do(Canary{}), OutcomeCode::kFailed, "CANARY_NOT_CONNECTED");
  world.Serve();
  const Outcome good = world.Do(Canary{});
  EXPECT_OUTCOME_OK(good);
  EXPECT_THAT(good.message, HasSubstr("stored and read back"));
  EXPECT_OUTCOME_OK(world.Do(Canary{}));

  world.Sql("ALTER ROLE chat SET default_transaction_read_only = on");
  world.Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chat'");
  ExpectOutcome(world.Do(Canary{}), OutcomeCode::kFailed, "CANARY_NOT_STORED");
  world.Sql("ALTER ROLE chat RESET default_transaction_read_only");
  world.Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chat'");
  EXPECT_OUTCOME_OK(world.Do(Canary{}));

  std::ofstream(world.folder() + "/canary-password") << "wrong\n";
  ExpectOutcome(world.Do(Canary{}), OutcomeCode::kFailed, "CANARY_LOGIN_FAILED");
}

TEST(ProsodyTest, ControlEndpointRefusesStrangersAndSurvivesGarbage) {
  ChatWorld world;
  world.Serve();
  EXPECT_THAT(world.SendToControl("GET /status HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr(" 401 "));
  EXPECT_THAT(world.SendToControl("POST /drain HTTP/1.1\r\nAuthorization: Bearer "
                                  "0123456789abcdef0123456789abcdeX\r\n\r\n"),
              HasSubstr(" 401 "));
  EXPECT_THAT(world.SendToControl("GET /other HTTP/1.1\r\nAuthorization: Bearer "
                                  "0123456789abcdef0123456789abcdef\r\n\r\n"),
              HasSubstr(" 404 "));
  EXPECT_THAT(world.SendToControl(std::string(200, '\0') + "\r\n\r\n"), HasSubstr(" 400 "));
  world.SendToControl(std::string(300'000, 'x'));
  const auto ann = world.Join("ann");
  EXPECT_TRUE(ann->WaitUntilInRoom(kPatience));
  const ChatObservation seen = world.Observe();
  EXPECT_EQ(seen.state, ChatState::kServing);
  EXPECT_EQ(seen.users, 1u);
}

TEST(ProsodyTest, FrozenServerIsUnknownAndStillComesDown) {
  ChatWorld world;
  world.Serve();
  const absl::StatusOr<ServiceStatus> status = world.service().Status();
  ASSERT_TRUE(status.ok()) << status.status();
  ASSERT_GT(status->pid, 0);
  ASSERT_EQ(kill(static_cast<pid_t>(status->pid), SIGSTOP), 0);
  const ChatObservation seen = world.Observe();
  EXPECT_EQ(seen.state, ChatState::kUnknown);
  EXPECT_THAT(seen.problem, HasSubstr("does not answer"));
  ExpectOutcome(world.Do(Drain{}), OutcomeCode::kUnknown, "CONTROL_SILENT");
  world.epoch = {1, 2};
  EXPECT_OUTCOME_OK(world.Do(Deactivate{}, absl::Seconds(8)));
  EXPECT_EQ(world.Observe().state, ChatState::kDown);
}

// Its database's host is gone: whatever it was doing there, it is fenced, proven, and ready to
// serve from another one.
void LeaveDeadDatabase(ChatWorld* world, bool drain) {
  if (drain) {
    const Outcome drained = world->Do(Drain{}, absl::Seconds(10));
    EXPECT_TRUE(drained.ok() || drained.reason == "CONTROL_SILENT") << drained.message;
  }
  world->epoch = world->epoch.Next();
  EXPECT_OUTCOME_OK(world->Do(Deactivate{}, absl::Seconds(10)));
  EXPECT_OUTCOME_OK(world->Look(Deactivate{}));
  EXPECT_EQ(world->Observe().state, ChatState::kDown);
  EXPECT_OUTCOME_OK(world->Do(PointAt{HostId("sql2")}, absl::Seconds(5)));
  EXPECT_EQ(world->Observe().points_at, HostId("sql2"));
}

TEST(ProsodyTest, AKilledDatabaseKeepsNobodyFromBeingFenced) {
  for (const bool drain : {true, false}) {
    ChatWorld world;
    world.Serve();
    const auto ann = world.Join("ann");
    ASSERT_TRUE(ann->WaitUntilInRoom(kPatience));
    world.KillDatabase();
    LeaveDeadDatabase(&world, drain);
    EXPECT_TRUE(ann->WaitUntilGone(kPatience));
  }
}

TEST(ProsodyTest, ADatabaseThatAnswersNothingAnyMoreKeepsNobodyFromBeingFenced) {
  for (const bool drain : {true, false}) {
    ChatWorld world;
    world.Serve();
    const auto ann = world.Join("ann");
    ASSERT_TRUE(ann->WaitUntilInRoom(kPatience));
    world.FreezeDatabase();
    const auto bob = world.Join("bob");  // makes the server ask its database
    LeaveDeadDatabase(&world, drain);
    EXPECT_TRUE(ann->WaitUntilGone(kPatience));
  }
}

TEST(ProsodyTest, AgainstADeadDatabaseItIsNotActivatedAndSaysWhy) {
  ChatWorld world;
  EXPECT_OUTCOME_OK(world.Do(PointAt{HostId("sql1")}));
  world.KillDatabase();
  const Outcome dead = world.Do(Activate{}, absl::Seconds(6));
  ExpectOutcome(dead, OutcomeCode::kFailed, "DEADLINE_EXCEEDED");
  EXPECT_THAT(dead.message, HasSubstr("no connection to the database on sql1"));
  LeaveDeadDatabase(&world, false);
}

TEST(ProsodyTest, OneThatStoodIdleWhileItsDatabaseRestartedIsFoundServing) {
  ChatWorld world;
  world.Serve();
  world.KillDatabase();
  const auto ann = world.Join("ann");  // makes the server notice
  EXPECT_TRUE(ann->WaitUntilGone(kPatience));
  EXPECT_NE(world.Observe().problem, "");
  world.RestartDatabase();
  EXPECT_OUTCOME_OK(world.Do(CheckChat{true}, absl::Seconds(10)));
  EXPECT_EQ(world.Observe().problem, "");
}

TEST(ProsodyTest, StopsWithPeopleInItsRooms) {
  ChatWorld world;
  world.Serve();
  const auto ann = world.Join("ann");
  ASSERT_TRUE(ann->WaitUntilInRoom(kPatience));
  // As the supervisor does when the fence closes by hand: nobody drains.
  const absl::Status stopped = world.service().Stop(StopMode::kClean, kPatience);
  EXPECT_TRUE(stopped.ok()) << stopped;
  EXPECT_TRUE(ann->WaitUntilGone(kPatience));
  EXPECT_TRUE(ann->was_told());
}

TEST(ProsodyTest, StartsAgainAndAgain) {
  ChatWorld world;
  world.Serve();
  for (int round = 0; round < 5; ++round) {
    const auto ann = world.Join("ann");
    ASSERT_TRUE(ann->WaitUntilInRoom(kPatience));
    world.epoch = world.epoch.Next();
    EXPECT_OUTCOME_OK(world.Do(Drain{}));
    EXPECT_OUTCOME_OK(world.Do(Deactivate{}));
    EXPECT_OUTCOME_OK(world.Do(PointAt{HostId("sql1")}));
    EXPECT_OUTCOME_OK(world.Do(Activate{}));
    EXPECT_OUTCOME_OK(world.Do(Canary{}));
  }
}

}  // namespace
}  // namespace baton::test
