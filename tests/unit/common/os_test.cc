#include <fcntl.h>
#include <filesystem>
#include <signal.h>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/base/crc32c.h"
#include "common/os/boot.h"
#include "common/os/file.h"
#include "common/os/lock.h"
#include "common/os/monotonic.h"
#include "common/os/process.h"
#include "common/os/unix_socket.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OsTest : public ::testing::Test {
 protected:
  OsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "baton-os-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~OsTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

using FileTest = OsTest;
using LockTest = OsTest;
using ProcessTest = OsTest;
using UnixSocketTest = OsTest;

TEST(Crc32cTest, GivesTheKnownChecksum) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST_F(FileTest, ReplacesAFileAndLeavesNothingElse) {
  const std::string path = folder_ + "/file";
  ASSERT_TRUE(WriteFileDurably(path, "old", 0600).ok());
  ASSERT_TRUE(WriteFileDurably(path, "new", 0644).ok());
  EXPECT_EQ(*ReadFile(path, 100), "new");
  struct stat found = {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0644u);
  EXPECT_THAT(*ListDirectory(folder_, 10), ElementsAre("file"));
}

TEST_F(FileTest, LeavesTheOldFileWhenANewOneCannotBeWritten) {
  const std::string path = folder_ + "/file";
  ASSERT_TRUE(MakeDirectories(path, 0755).ok());
  EXPECT_FALSE(WriteFileDurably(path, "new", 0644).ok());
  EXPECT_THAT(*ListDirectory(folder_, 10), ElementsAre("file"));
  EXPECT_TRUE(absl::IsNotFound(WriteFileDurably(folder_ + "/none/file", "new", 0644)));
}

TEST_F(FileTest, ReadsNoMoreThanAllowed) {
  const std::string path = folder_ + "/file";
  ASSERT_TRUE(WriteFileDurably(path, std::string(1000, 'x'), 0600).ok());
  EXPECT_EQ(ReadFile(path, 1000)->size(), 1000u);
  EXPECT_TRUE(absl::IsResourceExhausted(ReadFile(path, 999).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(ReadFile("/dev/zero", 4096).status()));
  EXPECT_TRUE(absl::IsNotFound(ReadFile(folder_ + "/none", 10).status()));
}

TEST_F(FileTest, MakesFoldersWithTheirParents) {
  ASSERT_TRUE(MakeDirectories(folder_ + "/a/b/c", 0755).ok());
  ASSERT_TRUE(MakeDirectories(folder_ + "/a/b/c", 0755).ok());
  EXPECT_TRUE(std::filesystem::is_directory(folder_ + "/a/b/c"));
  ASSERT_TRUE(WriteFileDurably(folder_ + "/file", "", 0600).ok());
  EXPECT_FALSE(MakeDirectories(folder_ + "/file/x", 0755).ok());
}

TEST_F(FileTest, BootIdIsTheFirstWord) {
  ASSERT_TRUE(WriteFileDurably(folder_ + "/boot", "abc-1\nrest\n", 0600).ok());
  EXPECT_EQ(*ReadBootId(folder_ + "/boot"), "abc-1");
  ASSERT_TRUE(WriteFileDurably(folder_ + "/boot", "\n", 0600).ok());
  EXPECT_TRUE(absl::IsDataLoss(ReadBootId(folder_ + "/boot").status()));
  EXPECT_TRUE(absl::IsNotFound(ReadBootId(folder_ + "/none").status()));
}

TEST_F(LockTest, SharedOnesKeepAnExclusiveOneOut) {
  const std::string path = folder_ + "/lock";
  const absl::StatusOr<FileLock> one = FileLock::Take(path, LockMode::kShared, absl::Seconds(1));
  ASSERT_TRUE(one.ok());
  EXPECT_TRUE(FileLock::Take(path, LockMode::kShared, absl::ZeroDuration()).ok());
  const absl::Status refused =
      FileLock::Take(path, LockMode::kExclusive, absl::Milliseconds(20)).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(refused)) << refused;
}

TEST_F(LockTest, NamesTheProcessThatInheritedTheLock) {
  const std::string path = folder_ + "/lock";
  pid_t holder = 0;
  {
    const absl::StatusOr<FileLock> lock = FileLock::Take(path, LockMode::kShared, absl::Seconds(1));
    ASSERT_TRUE(lock.ok());
    ASSERT_TRUE(lock->KeepAcrossExec().ok());
    holder = fork();
    if (holder == 0) {
      execl("/bin/sleep", "sleep", "1000", nullptr);
      _exit(1);
    }
  }
  const absl::Status refused =
      FileLock::Take(path, LockMode::kExclusive, absl::Milliseconds(50)).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(absl::StrCat(holder)));
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_TRUE(FileLock::Take(path, LockMode::kExclusive, absl::Seconds(5)).ok());
}

TEST_F(LockTest, HoldsTheFileThatHasTheNameNow) {
  const std::string path = folder_ + "/lock";
  const absl::StatusOr<FileLock> old = FileLock::Take(path, LockMode::kExclusive, absl::Seconds(1));
  ASSERT_TRUE(old.ok());
  ASSERT_EQ(unlink(path.c_str()), 0);
  EXPECT_TRUE(FileLock::Take(path, LockMode::kExclusive, absl::ZeroDuration()).ok());
}

RunOptions Command(std::vector<std::string> argv) {
  RunOptions options;
  options.argv = std::move(argv);
  options.timeout = absl::Seconds(30);
  return options;
}

TEST_F(ProcessTest, GivesOutputErrorAndExitStatus) {
  RunOptions options = Command({"/bin/sh", "-c", "cat; echo $GREETING; echo bad >&2; exit 3"});
  options.input = "input\n";
  options.environment = {"GREETING=hello"};
  const absl::StatusOr<RunResult> result = baton::Run(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "input\nhello\n");
  EXPECT_EQ(result->error, "bad\n");
  EXPECT_EQ(result->exit_status, 3);
  EXPECT_FALSE(result->ok());
}

TEST_F(ProcessTest, SaysWhyAProgramDidNotStart) {
  EXPECT_TRUE(absl::IsNotFound(baton::Run(Command({"/none/program"})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(baton::Run(Command({"relative"})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(baton::Run(Command({})).status()));
}

TEST_F(ProcessTest, KeepsNoMoreOutputThanAllowed) {
  RunOptions options = Command({"/bin/sh", "-c", "head -c 3000000 /dev/zero"});
  options.output_bytes_max = 1000;
  const absl::StatusOr<RunResult> result = baton::Run(options);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->ok());
  EXPECT_TRUE(result->cut);
  EXPECT_EQ(result->output.size(), 1000u);
}

TEST_F(ProcessTest, KillsTheWholeGroupWhenTheTimeHasPassed) {
  RunOptions options =
      Command({"/bin/sh", "-c", absl::StrCat("sleep 1000 & echo $! > ", folder_, "/pid; wait")});
  options.timeout = absl::Milliseconds(300);
  const absl::StatusOr<RunResult> result = baton::Run(options);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->timed_out);
  EXPECT_EQ(result->signal, SIGKILL);
  const absl::StatusOr<std::string> text = ReadFile(folder_ + "/pid", 100);
  ASSERT_TRUE(text.ok());
  const absl::StatusOr<ProcessId> grandchild = IdentifyProcess(std::stoi(*text));
  if (grandchild.ok()) {
    const absl::StatusOr<Fd> gone = OpenProcess(*grandchild);
    while (IsAlive(*grandchild)) Pause(absl::Milliseconds(1));
  }
}

TEST_F(ProcessTest, LetsTheCallerEnterTheChildBeforeItActs) {
  const std::string proof = folder_ + "/acted";
  RunOptions options = Command({"/bin/touch", proof});
  ProcessId seen;
  options.before_start = [&](const ProcessId& child) {
    seen = child;
    EXPECT_TRUE(IsAlive(child));
    EXPECT_FALSE(*Exists(proof));
    return absl::OkStatus();
  };
  ASSERT_TRUE(baton::Run(options).ok());
  EXPECT_GT(seen.pid, 1);
  EXPECT_TRUE(*Exists(proof));
}

TEST_F(ProcessTest, DoesNotActWhenTheCallerRefuses) {
  const std::string proof = folder_ + "/acted";
  RunOptions options = Command({"/bin/touch", proof});
  options.before_start = [](const ProcessId&) { return absl::AbortedError("no row"); };
  EXPECT_TRUE(absl::IsAborted(baton::Run(options).status()));
  EXPECT_FALSE(*Exists(proof));
}

TEST_F(ProcessTest, DoesNotActWhenTheCallerDies) {
  const std::string proof = folder_ + "/acted";
  const std::string pid_file = folder_ + "/pid";
  const pid_t caller = fork();
  if (caller == 0) {
    RunOptions options = Command({"/bin/touch", proof});
    options.before_start = [&](const ProcessId& child) {
      static_cast<void>(
          WriteFileDurably(pid_file, absl::StrCat(child.pid, " ", child.start_ticks), 0600));
      kill(getpid(), SIGKILL);
      return absl::OkStatus();
    };
    static_cast<void>(baton::Run(options));
    _exit(0);
  }
  waitpid(caller, nullptr, 0);
  const std::string text = ReadFile(pid_file, 100).value_or("");
  ASSERT_FALSE(text.empty());
  const ProcessId child{std::stoi(text), std::stoull(text.substr(text.find(' ')))};
  while (IsAlive(child)) Pause(absl::Milliseconds(1));
  EXPECT_FALSE(*Exists(proof));
}

TEST_F(ProcessTest, RunsFromManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&good, i] {
      for (int n = 0; n < 10; ++n) {
        const absl::StatusOr<RunResult> result =
            baton::Run(Command({"/bin/echo", absl::StrCat(i)}));
        if (result.ok() && result->output == absl::StrCat(i, "\n")) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TEST_F(ProcessTest, TellsARecycledPidApart) {
  absl::StatusOr<ProcessId> self = IdentifyProcess(getpid());
  ASSERT_TRUE(self.ok());
  EXPECT_TRUE(IsAlive(*self));
  ++self->start_ticks;
  EXPECT_FALSE(IsAlive(*self));
  EXPECT_TRUE(absl::IsNotFound(OpenProcess(*self).status()));
  EXPECT_TRUE(SignalProcess(*self, SIGKILL).ok());  // and is not sent
}

TEST_F(UnixSocketTest, IsForItsOwnerAndSaysWhenNobodyListens) {
  const std::string path = folder_ + "/sock";
  EXPECT_TRUE(absl::IsUnavailable(AskUnix(path, "x\n", absl::Seconds(1), 100).status()));
  const absl::StatusOr<Fd> listener = ListenUnix(path);
  ASSERT_TRUE(listener.ok());
  struct stat found = {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(AskUnix(path, "x\n", absl::Milliseconds(20), 100).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ListenUnix(folder_ + "/" + std::string(120, 'x')).status()));
}

}  // namespace
}  // namespace baton
