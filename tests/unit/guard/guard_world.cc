#include "guard_world.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

#include "agent/guard/fence_file.h"
#include "agent/guard/supervisor_state.h"
#include "common/os/file.h"
#include "common/os/lock.h"
#include "common/os/monotonic.h"
#include "common/os/unix_socket.h"
#include "tests/support/stray_supervisors.h"

namespace baton {
namespace {

constexpr uid_t kOrdinaryUser = 65534;
constexpr absl::Duration kVeryLong = absl::Seconds(60);

std::string ConfigText(const std::string& root, const GuardWorld::Shape& shape) {
  std::string text =
      absl::StrCat("resource = mgc\npool = chat.example.com\nhost = home-sql1\nkind = ",
                   shape.database ? "database\nengine = postgresql" : "chat\nengine = prosody",
                   "\ncommand = ", absl::StrReplaceAll(shape.command, {{"@ROOT@", root}}),
                   "\nrun_directory = ", root, "/run\nfence_file = ", root,
                   "/fence/mgc\nboot_id_file = ", root, "/boot\n");
  if (shape.database) {
    absl::StrAppend(&text, "data_directory = ", root, "/data\nshare = home\nshare.home = ", root,
                    "/home\nshare.dr = ", root, "/dr\ncopy_destination = ", root, "/copied\n");
  }
  return absl::StrCat(text, shape.more);
}

}  // namespace

GuardWorld::GuardWorld(const Shape& shape) {
  std::string name = (std::filesystem::temp_directory_path() / "baton-guard-XXXXXX").string();
  root_ = mkdtemp(name.data());
  drop_ = shape.unprivileged && geteuid() == 0;
  chmod(root_.c_str(), 0755);
  for (const char* folder : {"run", "fence", "home", "dr", "copied", "log"}) {
    std::filesystem::create_directory(root_ + "/" + folder);
  }
  if (!shape.unprivileged) std::filesystem::create_directory(root_ + "/data");
  Put(root_ + "/home/.baton-share", "home\n");
  Put(root_ + "/dr/.baton-share", "dr\n");
  Put(root_ + "/boot", "boot-1\n");
  config_file_ = root_ + "/mgc.conf";
  Put(config_file_, ConfigText(root_, shape));
  std::filesystem::copy_file(BATON_BIN_DIR "/baton-guard", guard());
  const absl::StatusOr<ResourceConfig> config = ParseResourceConfig(Get(config_file_), "mgc.conf");
  EXPECT_TRUE(config.ok()) << config.status();
  config_ = config.value_or(ResourceConfig());
  if (!drop_) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    EXPECT_EQ(lchown(entry.path().c_str(), kOrdinaryUser, kOrdinaryUser), 0);
  }
  EXPECT_EQ(lchown(root_.c_str(), kOrdinaryUser, kOrdinaryUser), 0);
}

GuardWorld::~GuardWorld() {
  for (const pid_t pid : spawned_) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  test::KillStraySupervisors(config_);
  Eventually([this] { return ProcessesWithFileOpen(run_file(".supervisor.lock")).empty(); });
  KillServer();
  Eventually([this] { return ProcessesWithFileOpen(config_.fence_file + ".lock").empty(); });
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::string GuardWorld::run_file(const std::string& suffix) const {
  return root_ + "/run/mgc" + suffix;
}

Lineage GuardWorld::MakeLineage(uint64_t counter, const std::string& host,
                                const std::string& share) {
  Lineage lineage;
  lineage.system_id = "7001";
  lineage.epoch = {1, counter};
  lineage.instance = HostId(host);
  lineage.share = ShareId(share);
  return lineage;
}

FenceRecord GuardWorld::Open(uint64_t counter) const {
  FenceRecord record;
  record.pool = config_.pool;
  record.resource = config_.resource;
  record.phase = FencePhase::kOpen;
  record.fence_epoch = {1, counter};
  record.write = MakeLineage(counter, "home-sql1", "home");
  record.ledger = LedgerId("ledger-1");
  record.confirmed_boot = BootId(absl::StrCat("boot-", boots_));
  return record;
}

FenceRecord GuardWorld::InPhase(FencePhase phase, uint64_t counter) const {
  FenceRecord record = Open(counter);
  record.phase = phase;
  return record;
}

void GuardWorld::Write(const FenceRecord& record) {
  EXPECT_TRUE(WriteFileDurably(config_.fence_file, FormatFenceRecord(record), 0644).ok());
}

void GuardWorld::Confirm() {
  const absl::StatusOr<FenceRecord> fence = ReadFenceFile(config_);
  ASSERT_TRUE(fence.ok() && fence->phase == FencePhase::kUnconfirmed) << fence.status();
  FenceRecord record = *fence;
  record.phase = FencePhase::kOpen;
  record.confirmed_boot = BootId(absl::StrCat("boot-", boots_));
  Write(record);
}

void GuardWorld::NextBoot() { Put(root_ + "/boot", absl::StrCat("boot-", ++boots_, "\n")); }

void GuardWorld::Put(const std::string& path, const std::string& bytes) const {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string GuardWorld::Get(const std::string& path) const {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string GuardWorld::Log(const std::string& name, char fill) const {
  const std::string path = root_ + "/log/" + name;
  Put(path, std::string(1 << 20, fill));
  return path;
}

std::vector<std::string> GuardWorld::AsUser(std::vector<std::string> argv) const {
  if (!drop_) return argv;
  const std::string id = absl::StrCat(kOrdinaryUser);
  std::vector<std::string> dropped = {"/usr/bin/setpriv", "--reuid=" + id, "--regid=" + id,
                                      "--clear-groups"};
  dropped.insert(dropped.end(), argv.begin(), argv.end());
  return dropped;
}

RunResult GuardWorld::Run(std::vector<std::string> argv, absl::Duration timeout) const {
  RunOptions options;
  options.argv = AsUser(std::move(argv));
  options.timeout = timeout;
  options.working_directory = root_;
  const absl::StatusOr<RunResult> result = baton::Run(options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.value_or(RunResult());
}

RunResult GuardWorld::Guard(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), guard());
  return Run(std::move(arguments));
}

pid_t GuardWorld::Spawn(std::vector<std::string> argv, const std::string& log) {
  argv = AsUser(std::move(argv));
  std::vector<char*> pointers;
  for (std::string& word : argv) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const std::string path = root_ + "/" + log;
  const pid_t pid = fork();
  if (pid == 0) {
    const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0644);
    dup2(fd, 1);
    dup2(fd, 2);
    close_range(3, ~0U, 0);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  spawned_.push_back(pid);
  return pid;
}

int GuardWorld::Wait(pid_t pid) {
  int status = -1;
  EXPECT_TRUE(Eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }));
  spawned_.erase(std::remove(spawned_.begin(), spawned_.end(), pid), spawned_.end());
  return status;
}

void GuardWorld::Kill(pid_t pid, int signal) {
  kill(pid, signal);
  Wait(pid);
}

pid_t GuardWorld::StartSupervisor() {
  const pid_t pid = Spawn({guard(), "run", config_file_}, "supervisor.log");
  EXPECT_TRUE(Eventually([this] { return Ask(SupervisorVerb::kStatus).ok(); }))
      << Get(root_ + "/supervisor.log");
  return pid;
}

absl::StatusOr<SupervisorReply> GuardWorld::Ask(SupervisorVerb verb) const {
  const absl::StatusOr<std::string> text = AskUnix(
      run_file(".sock"), std::string(ToString(verb)) + "\n", kVeryLong, kSupervisorReplyBytesMax);
  if (!text.ok()) return text.status();
  return ParseSupervisorReply(*text);
}

SupervisorReply GuardWorld::Status() const {
  const absl::StatusOr<SupervisorReply> reply = Ask(SupervisorVerb::kStatus);
  EXPECT_TRUE(reply.ok()) << reply.status();
  return reply.value_or(SupervisorReply());
}

void GuardWorld::KillServer() const {
  const absl::StatusOr<SupervisorState> state = LoadSupervisorState(run_file(".state"));
  if (!state.ok() || state->server.pid <= 1) return;
  static_cast<void>(SignalProcess(state->server, SIGKILL));
  EXPECT_TRUE(Eventually([&] { return !IsAlive(state->server); }));
}

bool GuardWorld::Eventually(const std::function<bool()>& holds) {
  const absl::Duration deadline = MonotonicNow() + kVeryLong;
  while (!holds()) {
    if (MonotonicNow() > deadline) return false;
    Pause(absl::Milliseconds(2));
  }
  return true;
}

}  // namespace baton
