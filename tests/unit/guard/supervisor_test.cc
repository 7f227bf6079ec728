// `baton-guard run` on a server that only sleeps.
#include <algorithm>
#include <filesystem>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/fence_file.h"
#include "agent/guard/supervisor_rules.h"
#include "agent/guard/supervisor_state.h"
#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/lock.h"
#include "common/os/unix_socket.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

GuardWorld::Shape Chat(const std::string& command = "/bin/sleep 1000") {
  GuardWorld::Shape shape;
  shape.database = false;
  shape.command = command;
  return shape;
}

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() : world_(Chat()) {}

  SupervisorReply Start(GuardWorld& world) {
    const absl::StatusOr<SupervisorReply> reply = world.Ask(SupervisorVerb::kStart);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.value_or(SupervisorReply());
  }
  SupervisorReply Start() { return Start(world_); }
  bool EventuallyDown() {
    return GuardWorld::Eventually([this] { return !world_.Status().running; });
  }

  GuardWorld world_;
};

TEST_F(SupervisorTest, StartsOnlyWhatTheGateAllows) {
  world_.StartSupervisor();
  const SupervisorReply refused = Start();
  EXPECT_FALSE(refused.ok);
  EXPECT_EQ(refused.verdict, "refuse");
  EXPECT_THAT(refused.error, HasSubstr("missing"));
  EXPECT_FALSE(world_.Status().running);
  EXPECT_FALSE(world_.Status().desired_up);
  world_.Write(world_.Open(3));
  const SupervisorReply started = Start();
  EXPECT_TRUE(started.ok) << started.error;
  EXPECT_TRUE(started.running && started.could_write && started.desired_up);
  EXPECT_EQ(started.refused, "");
  EXPECT_EQ(Start().pid, started.pid);  // and never a second one
}

TEST_F(SupervisorTest, StopsWhatCouldWriteWhenTheFenceCloses) {
  for (const FencePhase phase : {FencePhase::kClosing, FencePhase::kClosed}) {
    GuardWorld world(Chat());
    world.Write(world.Open(3));
    world.StartSupervisor();
    world.Confirm();
    ASSERT_TRUE(Start(world).ok);
    world.Write(world.InPhase(phase, 4));
    EXPECT_TRUE(GuardWorld::Eventually([&] { return !world.Status().running; }));
    EXPECT_FALSE(world.Status().desired_up);
    EXPECT_TRUE(ProveNothingRuns(world.config(), absl::Seconds(60)).ok());
  }
}

// It was started again in the middle of a Recover, and whoever fenced it put its signal back.
TEST_F(SupervisorTest, StopsAStandbyThatMayHaveBeenPromotedUnderTheRightItStartedWith) {
  GuardWorld::Shape shape;
  shape.command = "/bin/sleep 1000";
  GuardWorld world(shape);
  world.Put(world.config().data_directory + "/standby.signal", "");
  FenceRecord record = world.InPhase(FencePhase::kUnconfirmed, 3);
  world.Write(record);
  world.StartSupervisor();
  ASSERT_EQ(Start(world).verdict, "standby");
  record.phase = FencePhase::kClosing;
  record.fence_epoch = record.fence_epoch.Next();
  world.Write(record);
  EXPECT_TRUE(GuardWorld::Eventually([&] { return !world.Status().running; }));
}

TEST_F(SupervisorTest, StopsWhatCouldWriteWhenTheFenceFileIsGoneOrGarbage) {
  world_.Write(world_.Open(3));
  world_.StartSupervisor();
  world_.Confirm();
  ASSERT_TRUE(Start().ok);
  world_.Put(world_.config().fence_file, "garbage");
  EXPECT_TRUE(EventuallyDown());
  world_.Write(world_.Open(3));
  ASSERT_TRUE(Start().ok);
  std::filesystem::remove(world_.config().fence_file);
  EXPECT_TRUE(EventuallyDown());
}

TEST_F(SupervisorTest, LeavesRunningWhatIsMerelyUnconfirmed) {
  world_.Write(world_.Open(3));
  world_.StartSupervisor();
  world_.Confirm();
  const int64_t pid = Start().pid;
  world_.Write(world_.InPhase(FencePhase::kUnconfirmed, 4));
  world_.NextBoot();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world_.Status().pid, pid);
  EXPECT_EQ(kill(static_cast<pid_t>(pid), 0), 0);
}

TEST_F(SupervisorTest, RestartsACrashedServerThroughTheGate) {
  world_.Write(world_.Open(3));
  world_.StartSupervisor();
  world_.Confirm();
  const int64_t first = Start().pid;
  kill(static_cast<pid_t>(first), SIGKILL);
  EXPECT_TRUE(GuardWorld::Eventually([&] {
    const SupervisorReply status = world_.Status();
    return status.running && status.pid != first && status.last_exit == "signal 9";
  }));
  world_.Write(world_.InPhase(FencePhase::kUnconfirmed, 4));
  kill(static_cast<pid_t>(world_.Status().pid), SIGKILL);
  EXPECT_TRUE(GuardWorld::Eventually([&] { return !world_.Status().refused.empty(); }));
  EXPECT_FALSE(world_.Status().running);
  EXPECT_TRUE(world_.Status().desired_up);
  world_.Write(world_.Open(4));  // confirmed
  EXPECT_TRUE(GuardWorld::Eventually([&] { return world_.Status().running; }));
}

TEST_F(SupervisorTest, WhatWasStoppedOnPurposeStaysDown) {
  world_.Write(world_.Open(3));
  world_.StartSupervisor();
  world_.Confirm();
  for (const SupervisorVerb stop : {SupervisorVerb::kStopClean, SupervisorVerb::kStopImmediate}) {
    ASSERT_TRUE(Start().ok);
    const absl::StatusOr<SupervisorReply> stopped = world_.Ask(stop);
    ASSERT_TRUE(stopped.ok());
    EXPECT_TRUE(stopped->ok && !stopped->running && !stopped->desired_up);
    world_.Write(world_.InPhase(FencePhase::kUnconfirmed, 4));
    world_.Write(world_.Open(4));
    EXPECT_FALSE(world_.Status().running);
    EXPECT_TRUE(world_.Ask(stop)->ok);  // again: nothing to do
  }
}

// The plan of who asked has gone another way since, and may have opened the fence again.
TEST_F(SupervisorTest, DropsARequestThatNobodyWaitsForAnyMore) {
  world_.Write(world_.Open(3));
  const pid_t supervisor = world_.StartSupervisor();
  world_.Confirm();
  const int64_t server = Start().pid;
  kill(supervisor, SIGSTOP);
  int stopped = 0;
  ASSERT_EQ(waitpid(supervisor, &stopped, WUNTRACED), supervisor);
  ASSERT_TRUE(WIFSTOPPED(stopped));
  const std::string stop = absl::StrCat(std::string(ToString(SupervisorVerb::kStopClean)), "\n");
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      AskUnix(world_.run_file(".sock"), stop, absl::Milliseconds(20), kSupervisorReplyBytesMax)
          .status()));
  kill(supervisor, SIGCONT);
  const SupervisorReply status = world_.Status();
  EXPECT_EQ(status.pid, server);
  EXPECT_TRUE(status.desired_up);
}

TEST_F(SupervisorTest, ItsSuccessorFindsTheRunningServerWithoutAMemory) {
  for (const bool garbage : {false, true}) {
    GuardWorld world(Chat());
    world.Write(world.Open(3));
    const pid_t first = world.StartSupervisor();
    world.Confirm();
    const int64_t server = Start(world).pid;
    world.Kill(first, SIGKILL);
    if (garbage) {
      world.Put(world.run_file(".state"), "garbage");
    } else {
      std::filesystem::remove(world.run_file(".state"));
    }
    world.StartSupervisor();
    EXPECT_EQ(world.Status().pid, server);
    world.Write(world.InPhase(FencePhase::kClosing, 4));
    EXPECT_TRUE(GuardWorld::Eventually([&] { return !world.Status().running; }));
    EXPECT_TRUE(ProveNothingRuns(world.config(), absl::Seconds(60)).ok());
  }
}

TEST_F(SupervisorTest, ItsSuccessorTakesTheRunningServerOver) {
  world_.Write(world_.Open(3));
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  const int64_t server = Start().pid;
  world_.Kill(first, SIGKILL);
  EXPECT_EQ(kill(static_cast<pid_t>(server), 0), 0);
  world_.StartSupervisor();
  const SupervisorReply status = world_.Status();
  EXPECT_EQ(status.pid, server);
  EXPECT_TRUE(status.could_write && status.desired_up);
  world_.Write(world_.InPhase(FencePhase::kClosing, 4));
  EXPECT_TRUE(EventuallyDown());
}

TEST_F(SupervisorTest, ItsSuccessorStopsWhatWasFencedMeanwhile) {
  world_.Write(world_.Open(3));
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  ASSERT_TRUE(Start().ok);
  world_.Kill(first, SIGKILL);
  world_.Write(world_.InPhase(FencePhase::kClosed, 4));
  world_.StartSupervisor();
  EXPECT_TRUE(EventuallyDown());
}

TEST_F(SupervisorTest, AfterARebootItWaitsForTheConfirmation) {
  world_.Write(world_.Open(3));
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  ASSERT_TRUE(Start().ok);
  world_.Kill(first, SIGKILL);
  world_.KillServer();
  world_.NextBoot();
  world_.StartSupervisor();
  EXPECT_TRUE(GuardWorld::Eventually(
      [&] { return world_.Status().refused.find("not confirmed") != std::string::npos; }));
  world_.Write(world_.Open(3));
  EXPECT_TRUE(GuardWorld::Eventually([&] { return world_.Status().running; }));
}

TEST_F(SupervisorTest, TerminatedItStopsTheServerCleanlyAndKeepsWhatWasDesired) {
  world_.Write(world_.Open(3));
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  const int64_t server = Start().pid;
  kill(first, SIGTERM);
  EXPECT_EQ(world_.Wait(first), 0);
  EXPECT_EQ(kill(static_cast<pid_t>(server), 0), -1);
  EXPECT_TRUE(LoadSupervisorState(world_.run_file(".state"))->desired_up);
  EXPECT_FALSE(*Exists(world_.run_file(".sock")));
}

TEST_F(SupervisorTest, OnlyOneLooksAfterAResource) {
  const pid_t first = world_.StartSupervisor();
  const RunResult second = world_.Guard({"run", world_.config_file()});
  EXPECT_EQ(second.exit_status, 69);
  EXPECT_THAT(second.error, HasSubstr(absl::StrCat(first)));
  EXPECT_TRUE(world_.Ask(SupervisorVerb::kStatus).ok());
}

// A start that was under way when its supervisor was killed holds that one's lock until it ends.
TEST_F(SupervisorTest, WaitsAMomentForWhatAKilledPredecessorLeft) {
  std::filesystem::create_directories(world_.config().run_directory);
  const std::string file = world_.run_file(".supervisor.lock");
  absl::StatusOr<FileLock> left = FileLock::Take(file, LockMode::kExclusive, absl::ZeroDuration());
  ASSERT_TRUE(left.ok()) << left.status();
  const pid_t next = world_.Spawn({world_.guard(), "run", world_.config_file()}, "next.log");
  ASSERT_TRUE(GuardWorld::Eventually([&] {
    const std::vector<LockHolder> holders = ProcessesWithFileOpen(file);
    return std::any_of(holders.begin(), holders.end(),
                       [&](const LockHolder& holder) { return holder.pid == next; });
  }));
  left = absl::CancelledError("let go");
  EXPECT_TRUE(GuardWorld::Eventually([&] { return world_.Ask(SupervisorVerb::kStatus).ok(); }));
}

TEST_F(SupervisorTest, AServerThatCannotStartIsTriedAgainAndSaysWhy) {
  GuardWorld world(Chat("/none/server"));
  world.Write(world.Open(3));
  world.StartSupervisor();
  world.Confirm();
  const SupervisorReply reply = Start(world);
  EXPECT_FALSE(reply.ok);
  EXPECT_THAT(reply.error, HasSubstr("/none/server"));
}

TEST_F(SupervisorTest, ADamagedStateFileStartsNothing) {
  world_.Write(world_.Open(3));
  world_.Put(world_.run_file(".state"), "1 up 1 1 writer 1.3 00000000\n");
  world_.StartSupervisor();
  world_.Confirm();
  EXPECT_FALSE(world_.Status().running);
  EXPECT_FALSE(world_.Status().desired_up);
}

TEST_F(SupervisorTest, GarbageOnItsSocketHarmsNobody) {
  world_.Write(world_.Open(3));
  const pid_t supervisor = world_.StartSupervisor();
  world_.Confirm();
  ASSERT_TRUE(Start().ok);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  world_.run_file(".sock").copy(address.sun_path, sizeof(address.sun_path) - 1);
  const auto connect_one = [&] {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  };
  for (const std::string& text :
       std::vector<std::string>{"\n", "stop everything\n", std::string(100000, 'x'),
                                std::string(60, '\0') + "\n", "status\nstatus\n", "\xff\xfe\n"}) {
    const Fd fd = connect_one();
    send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    EXPECT_TRUE(world_.Status().running);
  }
  std::vector<Fd> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(connect_one());
  EXPECT_TRUE(GuardWorld::Eventually([&] { return world_.Ask(SupervisorVerb::kStatus).ok(); }));
  silent.clear();
  EXPECT_TRUE(world_.Status().running);
  EXPECT_EQ(kill(supervisor, 0), 0);
}

// A server that, told to stop, goes on until the file "leave" is there.
class SlowServer {
 public:
  SlowServer() : world_(MakeShape()) {
    world_.Put(world_.root() + "/server.sh",
               "trap 'while [ ! -e leave ]; do sleep 0.01; done; exit 0' TERM\n"
               "cd $1; touch ready; while true; do sleep 0.01; done\n");
    world_.Write(world_.Open(3));
    world_.StartSupervisor();
    world_.Confirm();
    EXPECT_TRUE(world_.Ask(SupervisorVerb::kStart)->ok);
    EXPECT_TRUE(GuardWorld::Eventually([this] { return *Exists(world_.root() + "/ready"); }));
  }
  void Leave() { world_.Put(world_.root() + "/leave", ""); }
  GuardWorld& world() { return world_; }

 private:
  static GuardWorld::Shape MakeShape() {
    GuardWorld::Shape shape = Chat("/bin/sh @ROOT@/server.sh @ROOT@");
    shape.more = "stop_timeout = 10ms\n";
    return shape;
  }

  GuardWorld world_;
};

TEST(SupervisorStopTest, ACleanStopThatTakesTooLongIsReportedAndGoesOn) {
  SlowServer slow;
  GuardWorld& world = slow.world();
  const int64_t pid = world.Status().pid;
  world.Write(world.InPhase(FencePhase::kClosing, 4));
  EXPECT_TRUE(GuardWorld::Eventually([&] { return world.Status().stop_overdue; }));
  EXPECT_EQ(world.Status().pid, pid);
  slow.Leave();
  EXPECT_TRUE(GuardWorld::Eventually([&] { return !world.Status().running; }));
  EXPECT_EQ(world.Status().last_exit, "exit status 0");
}

TEST(SupervisorStopTest, AnImmediateStopDoesNotWaitForACleanOne) {
  SlowServer slow;
  GuardWorld& world = slow.world();
  world.Write(world.InPhase(FencePhase::kClosing, 4));
  EXPECT_TRUE(GuardWorld::Eventually([&] { return world.Status().stop_overdue; }));
  const RunResult fenced = world.Guard({"fence", world.config_file(), "1.4", "--immediate"});
  EXPECT_EQ(fenced.exit_status, 0) << fenced.error;
  EXPECT_TRUE(GuardWorld::Eventually([&] { return !world.Status().running; }));
  EXPECT_EQ(world.Status().last_exit, "signal 9");
}

// A chat server's session is ended with it; what left that session only holds the lock, and is
// seen.
TEST(SupervisorStopTest, EndsWhatAKilledServerLeftInItsSession) {
  GuardWorld world(Chat("/bin/sh @ROOT@/server.sh @ROOT@"));
  world.Put(world.root() + "/server.sh",
            "sleep 1000 & echo $! > $1/child.new; mv $1/child.new $1/child; wait\n");
  world.Write(world.Open(3));
  world.StartSupervisor();
  world.Confirm();
  ASSERT_TRUE(world.Ask(SupervisorVerb::kStart)->ok);
  ASSERT_TRUE(GuardWorld::Eventually([&] { return *Exists(world.root() + "/child"); }));
  const int child = std::stoi(world.Get(world.root() + "/child"));
  const absl::StatusOr<ProcessId> left = IdentifyProcess(child);
  ASSERT_TRUE(left.ok());
  const int64_t server = world.Status().pid;
  kill(static_cast<pid_t>(server), SIGKILL);
  EXPECT_TRUE(GuardWorld::Eventually([&] {
    const SupervisorReply status = world.Status();
    return status.running && status.pid != server;
  }));
  EXPECT_FALSE(IsAlive(*left));
  EXPECT_TRUE(world.Ask(SupervisorVerb::kStopImmediate)->ok);
  EXPECT_TRUE(ProveNothingRuns(world.config(), absl::ZeroDuration()).ok());
}

TEST(SupervisorStopTest, AStartAskedForMeanwhileFollowsIt) {
  SlowServer slow;
  GuardWorld& world = slow.world();
  const int64_t pid = world.Status().pid;
  world.Write(world.InPhase(FencePhase::kClosing, 4));
  EXPECT_TRUE(GuardWorld::Eventually([&] { return world.Status().stop_overdue; }));
  world.Write(world.Open(5));
  absl::StatusOr<SupervisorReply> started = absl::UnknownError("not asked");
  std::thread asker([&] { started = world.Ask(SupervisorVerb::kStart); });
  slow.Leave();
  asker.join();
  ASSERT_TRUE(started.ok() && started->ok) << started.status() << started->error;
  EXPECT_NE(started->pid, pid);
}

TEST(SupervisorRulesTest, OnlyAReaderIsLeftAloneUnderAFence) {
  GuardWorld world;
  EXPECT_TRUE(MustStop(std::nullopt, true));
  EXPECT_TRUE(MustStop(world.InPhase(FencePhase::kClosing, 3), true));
  EXPECT_TRUE(MustStop(world.InPhase(FencePhase::kClosed, 3), true));
  EXPECT_FALSE(MustStop(world.InPhase(FencePhase::kUnconfirmed, 3), true));
  EXPECT_FALSE(MustStop(world.Open(3), true));
  EXPECT_FALSE(MustStop(std::nullopt, false));
  EXPECT_FALSE(MustStop(world.InPhase(FencePhase::kClosed, 3), false));
}

TEST(SupervisorRulesTest, AnOpeningThatNobodySawIsFoundByItsLineage) {
  GuardWorld world;
  const FenceRecord closed = world.InPhase(FencePhase::kClosed, 3);
  EXPECT_FALSE(WasOpenedSince(std::nullopt, Epoch{1, 3}));
  EXPECT_FALSE(WasOpenedSince(closed, Epoch{1, 3}));
  EXPECT_TRUE(WasOpenedSince(closed, Epoch{1, 2}));
  EXPECT_TRUE(WasOpenedSince(closed, std::nullopt));
  EXPECT_TRUE(WasOpenedSince(world.Open(3), Epoch{1, 3}));
  FenceRecord none = closed;
  none.write.reset();
  EXPECT_FALSE(WasOpenedSince(none, Epoch{1, 2}));
}

TEST(SupervisorRulesTest, UnaskedItStartsOnlyUnderAFenceThatCanAllowIt) {
  GuardWorld world;
  EXPECT_FALSE(MayStartUnasked(std::nullopt));
  EXPECT_FALSE(MayStartUnasked(world.InPhase(FencePhase::kClosing, 3)));
  EXPECT_FALSE(MayStartUnasked(world.InPhase(FencePhase::kClosed, 3)));
  FenceRecord follows = world.InPhase(FencePhase::kClosed, 3);
  follows.fetch = {GuardWorld::MakeLineage(2, "dr-sql1", "dr")};
  EXPECT_TRUE(MayStartUnasked(follows));
  EXPECT_TRUE(MayStartUnasked(world.Open(3)));
}

TEST(SupervisorStateTest, SurvivesTheWayToTextAndRefusesDamage) {
  SupervisorState state;
  state.desired_up = true;
  state.server = {4711, 123456789012};
  state.could_write = true;
  state.write_at_start = Epoch{1, 3};
  for (const SupervisorState& each : {state, SupervisorState()}) {
    const std::string text = FormatSupervisorState(each);
    EXPECT_EQ(*ParseSupervisorState(text), each);
    for (size_t i = 0; i < text.size(); ++i) {
      EXPECT_TRUE(absl::IsDataLoss(ParseSupervisorState(text.substr(0, i)).status()));
      std::string altered = text;
      altered[i] = static_cast<char>(altered[i] ^ 1);
      EXPECT_TRUE(absl::IsDataLoss(ParseSupervisorState(altered).status())) << altered;
    }
  }
}

}  // namespace
}  // namespace baton
