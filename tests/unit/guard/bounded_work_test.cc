#include "agent/guard/bounded_work.h"

#include <fcntl.h>
#include <optional>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/lock.h"
#include "common/os/monotonic.h"
#include "common/os/process.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

BoundedWork Work(std::function<absl::StatusOr<std::string>(const ProgressFunction&)> work) {
  BoundedWork bounded;
  bounded.what = "share home";
  bounded.timeout = absl::Seconds(60);
  bounded.work = std::move(work);
  return bounded;
}

[[noreturn]] absl::StatusOr<std::string> HangForEver(const ProgressFunction&) {
  while (true) pause();
}

TEST(BoundedWorkTest, GivesTheResultOrTheErrorOfTheWork) {
  EXPECT_EQ(*RunBounded(Work([](const ProgressFunction&) { return std::string("done"); })), "done");
  EXPECT_EQ(*RunBounded(Work([](const ProgressFunction&) { return std::string(); })), "");
  const absl::Status error = RunBounded(Work([](const ProgressFunction&) {
                               return absl::AlreadyExistsError("line one\nline two");
                             })).status();
  EXPECT_EQ(error, absl::AlreadyExistsError("line one line two"));
}

TEST(BoundedWorkTest, GoesOnWithoutWorkThatHangs) {
  BoundedWork work = Work(HangForEver);
  work.timeout = absl::Milliseconds(50);
  const absl::Status status = RunBounded(work).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("share home"));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // and leaves no child
}

TEST(BoundedWorkTest, SaysThatTheWorkDied) {
  const absl::Status status =
      RunBounded(Work([](const ProgressFunction&) -> absl::StatusOr<std::string> {
        _exit(7);
      })).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
}

TEST(BoundedWorkTest, SignsOfLifeKeepItGoing) {
  BoundedWork work = Work([](const ProgressFunction& progress) {
    for (uint64_t i = 0; i < 8; ++i) {
      Pause(absl::Milliseconds(100));
      progress(i, 8);
    }
    return std::string("done");
  });
  work.timeout = absl::Milliseconds(600);
  work.restart_on_progress = true;
  uint64_t last = 0;
  work.progress = [&last](uint64_t done, uint64_t) { last = done; };
  EXPECT_EQ(RunBounded(work).value_or(""), "done");
  EXPECT_EQ(last, 7u);
}

// A frozen filesystem keeps the child, which no signal ends, for as long as it likes.
TEST(BoundedWorkTest, WorkThatIsStuckHoldsNoLockOfItsCallers) {
  GuardWorld world;
  const std::string path = world.root() + "/lock";
  const Fd first(open("/dev/null", O_RDONLY | O_CLOEXEC));  // the lock is not the lowest one
  std::optional<FileLock> held = *FileLock::Take(path, LockMode::kShared, absl::ZeroDuration());
  ASSERT_TRUE(held->KeepAcrossExec().ok());
  BoundedWork work = Work([&](const ProgressFunction& progress) {
    progress(1, 1);
    GuardWorld::Eventually([&] { return *Exists(world.root() + "/go"); });
    return std::string("done");
  });
  absl::Status alone = absl::UnknownError("was not asked");
  work.progress = [&](uint64_t, uint64_t) {
    held.reset();
    alone = FileLock::Take(path, LockMode::kExclusive, absl::ZeroDuration()).status();
    world.Put(world.root() + "/go", "");
  };
  EXPECT_EQ(RunBounded(work).value_or(""), "done");
  EXPECT_TRUE(alone.ok()) << alone;
}

TEST(BoundedWorkTest, MakesNoSecondProcessWhileOneIsStuck) {
  GuardWorld world;
  BoundedWork work = Work([](const ProgressFunction&) { return std::string("done"); });
  work.stuck_file = world.root() + "/stuck";
  const pid_t stuck = world.Spawn({"/bin/sleep", "1000"}, "sleep.log");
  const absl::StatusOr<ProcessId> process = IdentifyProcess(stuck);
  ASSERT_TRUE(process.ok());
  world.Put(work.stuck_file, absl::StrCat(process->pid, " ", process->start_ticks, "\n"));
  const absl::Status refused = RunBounded(work).status();
  EXPECT_TRUE(absl::IsUnavailable(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(absl::StrCat(stuck)));
  world.Kill(stuck, SIGKILL);
  EXPECT_EQ(RunBounded(work).value_or(""), "done");
  EXPECT_FALSE(*Exists(work.stuck_file));
}

}  // namespace
}  // namespace baton
