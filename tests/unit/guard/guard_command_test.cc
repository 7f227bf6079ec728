// baton-guard's command line: what it says and how it exits.
#include <fcntl.h>
#include <filesystem>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/archived_file.h"
#include "agent/guard/fence_file.h"
#include "agent/guard/share.h"
#include "common/os/file.h"
#include "common/os/lock.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kSegment[] = "000000010000000000000003";

TEST(ArchiveFetchCommandTest, ExitsWithOneWhateverIsWrong) {
  GuardWorld world;
  const std::string target = world.root() + "/target";
  const std::vector<std::vector<std::string>> wrong = {
      {"archive-fetch"},
      {"archive-fetch", world.config_file()},
      {"archive-fetch", "/none.conf", kSegment, target},
      {"archive-fetch", "no-such-resource", kSegment, target},
      {"archive-fetch", world.config_file(), kSegment, target},  // no fence file
      {"archive-fetch", world.config_file(), "../../etc/passwd", target},
      {"archive-fetch", world.config_file(), kSegment, "/none/target"}};
  for (const std::vector<std::string>& words : wrong) {
    const RunResult result = world.Guard(words);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_FALSE(result.error.empty());
  }
}

TEST(ArchiveFetchCommandTest, SaysNothingAboutWhatIsMerelyNotThereYet) {
  GuardWorld world;
  FenceRecord record = world.InPhase(FencePhase::kClosed, 4);
  record.write.reset();
  record.fetch = {GuardWorld::MakeLineage(3, "dr-sql1", "dr")};
  world.Write(record);
  const RunResult result =
      world.Guard({"archive-fetch", world.config_file(), kSegment, world.root() + "/target"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.error, "");
  std::filesystem::remove(world.root() + "/dr/.baton-share");
  const RunResult unmounted =
      world.Guard({"archive-fetch", world.config_file(), kSegment, world.root() + "/target"});
  EXPECT_EQ(unmounted.exit_status, 1);
  EXPECT_THAT(unmounted.error, HasSubstr("not mounted"));
}

TEST(ArchiveFetchCommandTest, ExitsWithOneWhenASignalEndsIt) {
  GuardWorld world;
  const Lineage lineage = GuardWorld::MakeLineage(3, "dr-sql1", "dr");
  FenceRecord record = world.InPhase(FencePhase::kClosed, 4);
  record.write.reset();
  record.fetch = {lineage};
  world.Write(record);
  // Held up in the middle: nobody writes into what it reads.
  const std::string folder = LineageFolder(world.config(), world.root() + "/copied", lineage);
  ASSERT_TRUE(MakeDirectories(folder, 0755).ok());
  const std::string path = absl::StrCat(folder, "/", kSegment);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  world.Put(path + ".sum", "00000000 0\n");
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGSEGV, SIGABRT, SIGUSR1}) {
    const pid_t fetch = world.Spawn(
        {world.guard(), "archive-fetch", world.config_file(), kSegment, world.root() + "/target"},
        "fetch.log");
    Fd writer;
    ASSERT_TRUE(GuardWorld::Eventually([&] {
      writer.Reset(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));  // only beside a reader
      return writer.valid();
    }));
    kill(fetch, signal);
    const int status = world.Wait(fetch);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << signal << " " << status;
  }
}

TEST(ArchivePushCommandTest, ExitStatusNamesTheError) {
  GuardWorld world;
  const std::string path = world.Log(kSegment, 'a');
  world.Write(world.InPhase(FencePhase::kClosed, 3));
  EXPECT_EQ(world.Guard({"archive-push", world.config_file(), path}).exit_status, 109);
  world.Write(world.Open(3));
  EXPECT_EQ(world.Guard({"archive-push", world.config_file(), path}).exit_status, 0);
  world.Log(kSegment, 'b');
  const RunResult other = world.Guard({"archive-push", world.config_file(), path});
  EXPECT_EQ(other.exit_status, 106);
  EXPECT_THAT(other.error, HasSubstr(kSegment));
  std::filesystem::remove(world.root() + "/home/.baton-share");
  EXPECT_EQ(world.Guard({"archive-push", world.config_file(), path}).exit_status, 114);
  EXPECT_EQ(world.Guard({"archive-check", world.config_file()}).exit_status, 114);
}

// The server's archiver or startup process runs it: what is left when these end, and hangs, must
// not look like a server. The push itself is waited for.
TEST(ArchivePushCommandTest, OnlyTheOneThatIsBoundedInTimeHoldsTheGatesLock) {
  GuardWorld::Shape shape;
  shape.command =
      "@ROOT@/baton-guard archive-push @ROOT@/mgc.conf @ROOT@/log/" + std::string(kSegment);
  GuardWorld world(shape);
  world.Write(world.Open(3));
  const std::string source = absl::StrCat(world.root(), "/log/", kSegment);
  ASSERT_EQ(mkfifo(source.c_str(), 0600), 0);  // nobody writes into what it reads
  const pid_t push = world.Spawn({world.guard(), "exec", world.config_file()}, "push.log");
  Fd writer;
  ASSERT_TRUE(GuardWorld::Eventually([&] {
    writer.Reset(open(source.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));  // only beside a reader
    return writer.valid();
  }));
  const std::vector<LockHolder> holders = ProcessesWithFileOpen(FenceLockFile(world.config()));
  ASSERT_EQ(holders.size(), 1u);
  EXPECT_EQ(holders[0].pid, push);
  EXPECT_TRUE(absl::IsDeadlineExceeded(ProveNothingRuns(world.config(), absl::ZeroDuration())));
  world.Kill(push, SIGKILL);
  EXPECT_TRUE(ProveNothingRuns(world.config(), absl::Seconds(60)).ok());
}

TEST(GuardUsageTest, WrongUseAndWrongFilesHaveTheirOwnExitStatus) {
  GuardWorld world;
  EXPECT_EQ(world.Guard({}).exit_status, 64);
  EXPECT_EQ(world.Guard({"exec"}).exit_status, 64);
  EXPECT_EQ(world.Guard({"dance", world.config_file()}).exit_status, 64);
  EXPECT_EQ(world.Guard({"help"}).exit_status, 0);
  EXPECT_EQ(world.Guard({"exec", "/none.conf"}).exit_status, 65);
  world.Put(world.config_file(), "colour = red\n");
  const RunResult bad = world.Guard({"exec", world.config_file()});
  EXPECT_EQ(bad.exit_status, 65);
  EXPECT_THAT(bad.error, AllOf(HasSubstr("mgc.conf:1"), HasSubstr("colour")));
}

TEST(ExecCommandTest, StartsBehindTheLockOrRefusesWithTheReason) {
  GuardWorld::Shape shape;
  shape.command = "/bin/echo started";
  GuardWorld world(shape);
  const RunResult refused = world.Guard({"exec", world.config_file()});
  EXPECT_EQ(refused.exit_status, 78);
  EXPECT_EQ(refused.output, "");
  EXPECT_THAT(refused.error, HasSubstr("missing"));
  world.Write(world.Open(3));
  EXPECT_EQ(world.Guard({"exec", world.config_file()}).output, "started\n");
  world.NextBoot();
  EXPECT_EQ(world.Guard({"exec", world.config_file()}).exit_status, 78);
}

TEST(ExecCommandTest, WhatItStartedHoldsTheLock) {
  GuardWorld world;
  world.Write(world.Open(3));
  const pid_t server = world.Spawn({world.guard(), "exec", world.config_file()}, "exec.log");
  ASSERT_TRUE(GuardWorld::Eventually([&] {
    return ReadFile(absl::StrCat("/proc/", server, "/comm"), 64).value_or("") == "sleep\n";
  }));
  EXPECT_TRUE(absl::IsDeadlineExceeded(ProveNothingRuns(world.config(), absl::Milliseconds(20))));
  world.Kill(server, SIGKILL);
  EXPECT_TRUE(ProveNothingRuns(world.config(), absl::Seconds(60)).ok());
}

TEST(FenceCommandTest, FencesWithoutASupervisorAndNamesWhatStillRuns) {
  GuardWorld world;
  world.Write(world.Open(3));
  const pid_t server = world.Spawn({world.guard(), "exec", world.config_file()}, "exec.log");
  ASSERT_TRUE(GuardWorld::Eventually([&] {
    return ReadFile(absl::StrCat("/proc/", server, "/comm"), 64).value_or("") == "sleep\n";
  }));
  const RunResult fenced = world.Guard({"fence", world.config_file(), "1.4", "--timeout=50ms"});
  EXPECT_EQ(fenced.exit_status, 75);
  EXPECT_THAT(fenced.error, AllOf(HasSubstr(absl::StrCat(server)), HasSubstr("kill")));
  EXPECT_THAT(fenced.output, HasSubstr("no supervisor"));
  EXPECT_EQ(ReadFenceFile(world.config())->phase, FencePhase::kClosing);
  EXPECT_EQ(ReadFenceFile(world.config())->write, world.Open(3).write);
  EXPECT_TRUE(*Exists(world.root() + "/data/standby.signal"));
  world.Kill(server, SIGKILL);
  EXPECT_EQ(world.Guard({"fence", world.config_file(), "1.4"}).exit_status, 0);
}

// An agent that was stopped while it wrote: what 75 promises, a fence that stands, is not there.
TEST(FenceCommandTest, SaysPlainlyThatItDidNotFenceAndWhatIsInTheWay) {
  GuardWorld world;
  world.Write(world.Open(3));
  const pid_t holder = world.Spawn(
      {"/usr/bin/flock", "--no-fork", FenceEditLockFile(world.config()), "/bin/sleep", "1000"},
      "holder.log");
  ASSERT_TRUE(GuardWorld::Eventually([&] {
    return absl::IsDeadlineExceeded(FileLock::Take(FenceEditLockFile(world.config()),
                                                   LockMode::kExclusive, absl::ZeroDuration())
                                        .status());
  }));
  const RunResult result = world.Guard({"fence", world.config_file(), "1.4"});
  EXPECT_EQ(result.exit_status, 73);
  EXPECT_THAT(result.error, AllOf(HasSubstr("NOT fenced"), HasSubstr("kill -KILL"),
                                  HasSubstr(absl::StrCat(holder))));
  EXPECT_EQ(*ReadFenceFile(world.config()), world.Open(3));
  world.Kill(holder, SIGKILL);
}

TEST(FenceCommandTest, RefusesALowerEpochAndNeverLoosens) {
  GuardWorld world;
  world.Write(world.InPhase(FencePhase::kClosed, 5));
  const RunResult lower = world.Guard({"fence", world.config_file(), "1.4"});
  EXPECT_EQ(lower.exit_status, 78);
  EXPECT_THAT(lower.error, AllOf(HasSubstr("NOT fenced"), HasSubstr("1.5"), HasSubstr("1.4")));
  EXPECT_EQ(world.Guard({"fence", world.config_file(), "1.6"}).exit_status, 0);
  EXPECT_EQ(ReadFenceFile(world.config())->phase, FencePhase::kClosed);
  EXPECT_EQ(ReadFenceFile(world.config())->fence_epoch, (Epoch{1, 6}));
  world.Put(world.config().fence_file, "garbage");
  EXPECT_EQ(world.Guard({"fence", world.config_file(), "1.7"}).exit_status, 0);
  EXPECT_EQ(ReadFenceFile(world.config())->phase, FencePhase::kClosed);
  EXPECT_EQ(world.Guard({"fence", world.config_file(), "seven"}).exit_status, 64);
  EXPECT_EQ(world.Guard({"fence", world.config_file(), "1.8", "--now"}).exit_status, 64);
}

}  // namespace
}  // namespace baton
