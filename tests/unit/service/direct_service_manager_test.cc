#include "agent/service/direct_service_manager.h"

#include <filesystem>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/service/service_manager.h"
#include "common/os/lock.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(60);

class DirectServiceManagerTest : public ::testing::Test {
 protected:
  DirectServiceManagerTest()
      : world_(Shape()), manager_(world_.config(), world_.config_file(), world_.guard()) {}

  static GuardWorld::Shape Shape() {
    GuardWorld::Shape shape;
    shape.database = false;
    return shape;
  }
  // A right that was given while its supervisor looked on.
  void Open() {
    ASSERT_TRUE(manager_.Status()->managed);
    world_.Write(world_.Open(3));
  }
  std::vector<LockHolder> Supervisors() const {
    return ProcessesWithFileOpen(world_.run_file(".supervisor.lock"));
  }

  GuardWorld world_;
  DirectServiceManager manager_;
};

TEST_F(DirectServiceManagerTest, StartsAMissingSupervisorWhichWantsTheRightConfirmed) {
  world_.Write(world_.Open(3));
  const absl::Status refused = manager_.Start(kLong);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("not confirmed"));
  world_.Confirm();
  ASSERT_TRUE(manager_.Start(kLong).ok());
  const absl::StatusOr<ServiceStatus> status = manager_.Status();
  ASSERT_TRUE(status.ok());
  EXPECT_TRUE(status->managed && status->running);
  EXPECT_GT(status->pid, 1);
  EXPECT_EQ(Supervisors().size(), 1u);
  EXPECT_TRUE(manager_.Start(kLong).ok());
  EXPECT_EQ(manager_.Status()->pid, status->pid);
}

TEST_F(DirectServiceManagerTest, GivesTheGatesReason) {
  const absl::Status status = manager_.Start(kLong);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("mgc"), HasSubstr("missing")));
  EXPECT_THAT(manager_.Status()->refused, HasSubstr("missing"));
}

TEST_F(DirectServiceManagerTest, StopsAndLeavesItStopped) {
  Open();
  for (const StopMode mode : {StopMode::kClean, StopMode::kImmediate}) {
    ASSERT_TRUE(manager_.Start(kLong).ok());
    EXPECT_TRUE(manager_.Stop(mode, kLong).ok());
    EXPECT_FALSE(manager_.Status()->running);
    EXPECT_TRUE(manager_.Stop(mode, kLong).ok());
  }
}

TEST_F(DirectServiceManagerTest, SaysThatAStopTakesTooLong) {
  GuardWorld::Shape shape = Shape();
  shape.command = "/bin/sh @ROOT@/server.sh @ROOT@";
  GuardWorld world(shape);
  world.Put(world.root() + "/server.sh",
            "trap '' TERM; touch $1/ready; while true; do sleep 0.01; done\n");
  DirectServiceManager manager(world.config(), world.config_file(), world.guard());
  ASSERT_TRUE(manager.Status()->managed);
  world.Write(world.Open(3));
  ASSERT_TRUE(manager.Start(kLong).ok());
  ASSERT_TRUE(
      GuardWorld::Eventually([&] { return std::filesystem::exists(world.root() + "/ready"); }));
  EXPECT_TRUE(absl::IsDeadlineExceeded(manager.Stop(StopMode::kClean, absl::Milliseconds(20))));
  EXPECT_TRUE(manager.Status()->running);
  EXPECT_TRUE(manager.Stop(StopMode::kImmediate, kLong).ok());
}

TEST_F(DirectServiceManagerTest, ReplacesAKilledSupervisorWhichAdoptsTheService) {
  Open();
  ASSERT_TRUE(manager_.Start(kLong).ok());
  const int64_t pid = manager_.Status()->pid;
  ASSERT_EQ(Supervisors().size(), 1u);
  kill(Supervisors()[0].pid, SIGKILL);
  EXPECT_TRUE(GuardWorld::Eventually([&] {
    const absl::StatusOr<ServiceStatus> status = manager_.Status();
    return status.ok() && status->managed && status->pid == pid;
  }));
}

TEST_F(DirectServiceManagerTest, WhatItStartedOutlivesTheProcessThatAsked) {
  Open();
  const pid_t asker = fork();
  if (asker == 0) {
    setpgid(0, 0);
    _exit(manager_.Start(kLong).ok() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(asker, &status, 0), asker);
  EXPECT_EQ(status, 0);
  kill(-asker, SIGKILL);  // the whole group that it may have left
  EXPECT_TRUE(manager_.Status()->running);
}

TEST_F(DirectServiceManagerTest, NamesTheLogOfASupervisorThatDoesNotCome) {
  DirectServiceManager broken(world_.config(), world_.config_file(), "/bin/false");
  EXPECT_FALSE(broken.Status()->managed);
  const absl::Status status = broken.Start(absl::Milliseconds(50));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("mgc.supervisor.log"));
}

TEST(ServiceManagerTest, RefusesAManagerThatItDoesNotKnow) {
  GuardWorld world;
  ResourceConfig config = world.config();
  EXPECT_TRUE(MakeServiceManager(config, "mgc.conf", world.guard()).ok());
  config.manager = ServiceManagerKind::kSystemd;
  const absl::Status status = MakeServiceManager(config, "mgc.conf", world.guard()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("mgc.conf"), HasSubstr("systemd")));
}

}  // namespace
}  // namespace baton
