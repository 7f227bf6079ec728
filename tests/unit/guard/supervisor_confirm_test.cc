// What a supervisor that finds no server to take over makes of an open fence.
#include <signal.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/fence_file.h"
#include "common/os/lock.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

class SupervisorConfirmTest : public ::testing::Test {
 protected:
  SupervisorConfirmTest() : world_(Chat()) {}

  static GuardWorld::Shape Chat() {
    GuardWorld::Shape shape;
    shape.database = false;
    return shape;
  }
  SupervisorReply Start() {
    const absl::StatusOr<SupervisorReply> reply = world_.Ask(SupervisorVerb::kStart);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.value_or(SupervisorReply());
  }
  FencePhase Phase() const {
    const absl::StatusOr<FenceRecord> fence = ReadFenceFile(world_.config());
    EXPECT_TRUE(fence.ok()) << fence.status();
    return fence.ok() ? fence->phase : FencePhase::kClosed;
  }

  GuardWorld world_;
};

TEST_F(SupervisorConfirmTest, ItsSuccessorStartsWhatShouldBeUpOnceThatIsConfirmed) {
  world_.Write(world_.Open(3));
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  const int64_t server = Start().pid;
  world_.Kill(first, SIGKILL);
  world_.KillServer();
  for (int successors = 0; successors < 2; ++successors) {
    const pid_t successor = world_.StartSupervisor();
    EXPECT_EQ(Phase(), FencePhase::kUnconfirmed);
    EXPECT_TRUE(GuardWorld::Eventually(
        [&] { return world_.Status().refused.find("not confirmed") != std::string::npos; }));
    if (successors == 0) world_.Kill(successor, SIGKILL);
  }
  world_.Confirm();
  EXPECT_TRUE(GuardWorld::Eventually([&] {
    const SupervisorReply status = world_.Status();
    return status.running && status.pid != server && status.could_write;
  }));
}

TEST_F(SupervisorConfirmTest, WithNothingToAdoptAnOpenFenceIsUnconfirmedBeforeAnyStart) {
  world_.Write(world_.Open(3));
  world_.StartSupervisor();
  // Before it answers anybody, so that what is opened from now on stays open.
  EXPECT_EQ(Phase(), FencePhase::kUnconfirmed);
  const SupervisorReply refused = Start();
  EXPECT_EQ(refused.verdict, "refuse");
  EXPECT_THAT(refused.error, HasSubstr("not confirmed"));
  world_.Confirm();
  EXPECT_TRUE(Start().ok);
  EXPECT_EQ(Phase(), FencePhase::kOpen);
}

TEST_F(SupervisorConfirmTest, WhatIsConfirmedAndDownIsUnconfirmedForItsSuccessorToo) {
  world_.Write(world_.Open(3));
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  ASSERT_TRUE(Start().ok);
  ASSERT_TRUE(world_.Ask(SupervisorVerb::kStopClean)->ok);
  world_.Kill(first, SIGTERM);
  EXPECT_EQ(Phase(), FencePhase::kOpen);
  world_.StartSupervisor();
  EXPECT_EQ(Phase(), FencePhase::kUnconfirmed);
}

TEST_F(SupervisorConfirmTest, AnAdoptedServersFenceIsLeftAsItIs) {
  world_.Write(world_.Open(3));
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  const int64_t server = Start().pid;
  world_.Kill(first, SIGKILL);
  world_.StartSupervisor();
  EXPECT_EQ(Phase(), FencePhase::kOpen);
  // It saw this one die, so nobody has to say again who may write.
  world_.KillServer();
  EXPECT_TRUE(GuardWorld::Eventually([&] {
    const SupervisorReply status = world_.Status();
    return status.running && status.pid != server;
  }));
  EXPECT_EQ(Phase(), FencePhase::kOpen);
}

TEST_F(SupervisorConfirmTest, NoOtherFenceIsTouchedByIt) {
  FenceRecord earlier = world_.Open(3);
  earlier.confirmed_boot = BootId("boot-0");
  for (const FenceRecord& record :
       {world_.InPhase(FencePhase::kUnconfirmed, 3), world_.InPhase(FencePhase::kClosing, 3),
        world_.InPhase(FencePhase::kClosed, 3), earlier}) {
    world_.Write(record);
    const std::string before = world_.Get(world_.config().fence_file);
    world_.Kill(world_.StartSupervisor(), SIGKILL);
    EXPECT_EQ(world_.Get(world_.config().fence_file), before);
  }
  world_.Put(world_.config().fence_file, "garbage");
  world_.Kill(world_.StartSupervisor(), SIGKILL);
  EXPECT_EQ(world_.Get(world_.config().fence_file), "garbage");
}

TEST_F(SupervisorConfirmTest, AFenceByHandIsKeptWhateverRestarts) {
  world_.Write(world_.Open(3));
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  ASSERT_TRUE(Start().ok);
  world_.Kill(first, SIGKILL);
  world_.KillServer();
  const pid_t second = world_.StartSupervisor();
  EXPECT_EQ(world_.Guard({"fence", world_.config_file(), "1.4"}).exit_status, 0);
  EXPECT_EQ(Phase(), FencePhase::kClosing);
  world_.Kill(second, SIGKILL);
  world_.StartSupervisor();
  EXPECT_EQ(Phase(), FencePhase::kClosing);
  EXPECT_FALSE(Start().ok);
}

TEST_F(SupervisorConfirmTest, WhileTheFenceFileCannotBeWrittenAnOpenOneStartsNothing) {
  world_.Write(world_.Open(3));
  absl::StatusOr<FileLock> editing =
      FileLock::Take(world_.config().fence_file + ".edit", LockMode::kExclusive, absl::Seconds(60));
  ASSERT_TRUE(editing.ok());
  world_.StartSupervisor();
  EXPECT_EQ(Phase(), FencePhase::kOpen);
  const SupervisorReply refused = Start();
  EXPECT_FALSE(refused.ok);
  EXPECT_THAT(refused.error, HasSubstr("not confirmed since"));
  editing = absl::UnknownError("let go");
  EXPECT_FALSE(Start().ok);
  EXPECT_EQ(Phase(), FencePhase::kUnconfirmed);
  world_.Confirm();
  EXPECT_TRUE(Start().ok);
}

}  // namespace
}  // namespace baton
