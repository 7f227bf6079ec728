#include "tests/integration/chat/chat_world.h"

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <grp.h>
#include <iterator>
#include <map>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "gtest/gtest.h"

#include "agent/guard/host/guard_fence_store.h"
#include "agent/service/service_manager.h"
#include "common/os/monotonic.h"
#include "common/os/process.h"
#include "common/protocol/supervisor_control.h"
#include "tests/support/free_port.h"
#include "tests/support/stray_supervisors.h"

namespace baton::test {
namespace {

constexpr char kBin[] = "/usr/lib/postgresql/15/bin";
constexpr absl::Duration kPatience = absl::Seconds(60);

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

void WriteText(const std::string& path, const std::string& text, mode_t mode = 0644) {
  std::ofstream(path) << text;
  ASSERT_EQ(chmod(path.c_str(), mode), 0) << path;
}

std::string RunProgram(std::vector<std::string> argv) {
  RunOptions options;
  options.argv = std::move(argv);
  options.timeout = kPatience;
  const absl::StatusOr<RunResult> result = Run(options);
  EXPECT_TRUE(result.ok() && result->ok())
      << options.argv[0] << ": "
      << (result.ok() ? result->output + result->error : std::string(result.status().message()));
  return result.ok() ? result->output : "";
}

pid_t Spawn(const std::vector<std::string>& argv, const std::string& log) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    if (freopen(log.c_str(), "a", stderr) == nullptr ||
        freopen(log.c_str(), "a", stdout) == nullptr) {
      _exit(126);
    }
    execv(words[0], words.data());
    _exit(127);
  }
  return pid;
}

void Eventually(const std::string& what, const std::function<bool()>& condition) {
  const absl::Duration deadline = MonotonicNow() + kPatience;
  while (!condition()) {
    ASSERT_LT(MonotonicNow(), deadline) << what << " never came";
    Pause(absl::Milliseconds(5));
  }
}

template <class Result>
Result Await(std::future<Result> future) {
  if (future.wait_for(std::chrono::seconds(120)) != std::future_status::ready) {
    std::fprintf(stderr, "no completion came\n");
    std::abort();
  }
  return future.get();
}

// The clone may lie where only root can read: what the servers need is copied out first.
void LeaveRoot(const std::string& folder) {
  if (getuid() != 0) return;
  const passwd* nobody = getpwnam("nobody");
  if (nobody == nullptr || chown(folder.c_str(), nobody->pw_uid, nobody->pw_gid) != 0 ||
      setgroups(0, nullptr) != 0 || setgid(nobody->pw_gid) != 0 || setuid(nobody->pw_uid) != 0) {
    std::abort();
  }
}

// Of all worlds of this process, made while it may still read the clone.
const std::string& SharedParts() {
  static const auto* const folder = [] {
    char pattern[] = "/tmp/batonchatpartsXXXXXX";
    auto* const parts = new std::string(mkdtemp(pattern));
    chmod(parts->c_str(), 0755);
    const std::string source = BATON_SOURCE_DIR;
    std::filesystem::copy_file(source + "/agent/chat/prosody/mod_baton.lua",
                               *parts + "/mod_baton.lua");
    std::filesystem::copy_file(source + "/deploy/config/prosody.cfg.lua.in",
                               *parts + "/prosody.cfg.lua.in");
    std::filesystem::copy_file(BATON_BIN_DIR "/baton-guard", *parts + "/baton-guard");
    LeaveRoot(*parts);
    std::atexit([] { std::filesystem::remove_all(SharedParts()); });
    return parts;
  }();
  return *folder;
}

}  // namespace

ChatWorld::ChatWorld() {
  const std::string& parts = SharedParts();
  plugin_ = parts;
  template_ = ReadText(parts + "/prosody.cfg.lua.in");
  char pattern[] = "/tmp/batonchatXXXXXX";
  folder_ = mkdtemp(pattern);
  database_port_ = FreePort();
  c2s_port_ = FreePort();
  control_port_ = FreePort();
  StartDatabase();
  WriteConfiguration();
  MakeAccounts();
  Supervise();
}

ChatWorld::~ChatWorld() {
  runner_.reset();
  probe_.reset();
  if (service_ != nullptr) service_->Stop(StopMode::kImmediate, kPatience).IgnoreError();
  Await(&supervisor_, SIGTERM);
  KillStraySupervisors(config_);
  SignalDatabase(SIGCONT);
  Await(&database_, SIGINT);
  if (::testing::Test::HasFailure()) PrintLogs();
  std::filesystem::remove_all(folder_);
}

void ChatWorld::Await(pid_t* pid, int signal) {
  if (*pid <= 0) return;
  kill(*pid, signal);
  waitpid(*pid, nullptr, 0);
  *pid = 0;
}

void ChatWorld::PrintLogs() const {
  for (const char* log : {"/prosody.log", "/supervisor.log", "/database.log"}) {
    std::fprintf(stderr, "--- %s\n%s\n", log, ReadText(folder_ + log).c_str());
  }
}

void ChatWorld::StartDatabase() {
  const std::string bin = kBin;
  const std::string data = folder_ + "/pg";
  RunProgram({bin + "/initdb", "-D", data, "-U", "baton", "-A", "trust", "--encoding=UTF8",
              "--locale=C", "--no-sync"});
  RunDatabase();
  for (const char* sql :
       {"CREATE ROLE chat LOGIN PASSWORD 'it''s \"secret\"'", "CREATE DATABASE chat OWNER chat"}) {
    RunProgram({bin + "/psql", "-h", "127.0.0.1", "-p", absl::StrCat(database_port_), "-U", "baton",
                "-d", "postgres", "-qc", sql});
  }
}

void ChatWorld::RunDatabase() {
  const std::string bin = kBin;
  const std::string data = folder_ + "/pg";
  database_ = Spawn({bin + "/postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-c",
                     absl::StrCat("port=", database_port_), "-c", "unix_socket_directories=", "-c",
                     "fsync=off", "-c", "shared_buffers=16MB"},
                    folder_ + "/database.log");
  Eventually("the database's first answer", [&] {
    RunOptions options;
    options.argv = {bin + "/pg_isready", "-h", "127.0.0.1", "-p", absl::StrCat(database_port_)};
    options.timeout = kPatience;
    const absl::StatusOr<RunResult> result = Run(options);
    return result.ok() && result->ok();
  });
}

void ChatWorld::SignalDatabase(int signal) {
  if (database_ <= 0) return;
  const std::string main = absl::StrCat("/proc/", database_, "/task/", database_, "/children");
  std::istringstream children(ReadText(main));
  kill(database_, signal);
  for (pid_t child = 0; children >> child;) kill(child, signal);
}

void ChatWorld::KillDatabase() {
  SignalDatabase(SIGKILL);
  Await(&database_, SIGKILL);
}

void ChatWorld::FreezeDatabase() { SignalDatabase(SIGSTOP); }

std::string ChatWorld::Sql(const std::string& sql) {
  const std::string output =
      RunProgram({absl::StrCat(kBin, "/psql"), "-h", "127.0.0.1", "-p",
                  absl::StrCat(database_port_), "-U", "baton", "-d", "chat", "-qtAc", sql});
  return std::string(absl::StripAsciiWhitespace(output));
}

bool ChatWorld::SqlBecomes(const std::string& sql, const std::string& wanted) {
  const absl::Duration deadline = MonotonicNow() + kPatience;
  while (Sql(sql) != wanted) {
    if (MonotonicNow() > deadline) return false;
    Pause(absl::Milliseconds(5));
  }
  return true;
}

void ChatWorld::WriteConfiguration() {
  for (const char* part : {"/data", "/data/certificates", "/run", "/etc"}) {
    std::filesystem::create_directories(folder_ + part);
  }
  WriteText(folder_ + "/boot_id", "boot-of-chat\n");
  WriteText(folder_ + "/token", "0123456789abcdef0123456789abcdef\n", 0600);
  WriteText(folder_ + "/database-password", "it's \"secret\"\n", 0600);
  WriteText(folder_ + "/canary-password", "canary-password\n", 0600);
  const std::map<std::string, std::string> values = {
      {"@DOMAIN@", kDomain},
      {"@MUC_DOMAIN@", absl::StrCat("rooms.", kDomain)},
      {"@ADDRESS@", "127.0.0.1"},
      {"@C2S_PORT@", absl::StrCat(c2s_port_)},
      {"@CONTROL_PORT@", absl::StrCat(control_port_)},
      {"@TOKEN_FILE@", folder_ + "/token"},
      {"@DATABASE_FILE@", folder_ + "/etc/database.lua"},
      {"@PLUGIN_DIR@", plugin_},
      {"@DATA_DIR@", folder_ + "/data"},
      {"@LOG_FILE@", folder_ + "/prosody.log"},
  };
  WriteText(folder_ + "/etc/prosody.cfg.lua", absl::StrReplaceAll(template_, values));
  const std::string text = absl::Substitute(
      "resource = prosody\npool = chat.example\nhost = chat1\nkind = chat\nengine = prosody\n"
      "manager = direct\ncommand = /usr/bin/prosody -F --config $0/etc/prosody.cfg.lua\n"
      "data_directory = $0/data\nrun_directory = $0/run\nfence_file = $0/fence\n"
      "boot_id_file = $0/boot_id\nstop_timeout = 20s\nprosody.address = 127.0.0.1\n"
      "prosody.c2s_port = $1\nprosody.domain = chat.example\n"
      "prosody.muc_domain = rooms.chat.example\nprosody.control_port = $2\n"
      "prosody.token_file = $0/token\nprosody.database_file = $0/etc/database.lua\n"
      "prosody.database_user = chat\nprosody.database_password_file = $0/database-password\n"
      "prosody.instance.sql1 = 127.0.0.1:$3/chat\nprosody.instance.sql2 = 127.0.0.2:$3/chat\n"
      "prosody.canary_jid = canary@chat.example\n"
      "prosody.canary_password_file = $0/canary-password\n"
      "prosody.canary_room = baton-canary@rooms.chat.example\n",
      folder_, c2s_port_, control_port_, database_port_);
  WriteText(folder_ + "/resource.conf", text);
  const absl::StatusOr<ResourceConfig> config = ParseResourceConfig(text, "resource.conf");
  ASSERT_TRUE(config.ok()) << config.status();
  config_ = *config;
}

void ChatWorld::MakeAccounts() {
  const std::string file = folder_ + "/etc/database.lua";
  WriteText(file, absl::StrCat("sql = { driver = \"PostgreSQL\", host = \"127.0.0.1\", port = ",
                               database_port_, ", database = \"chat\", username = \"chat\", ",
                               "password = [[it's \"secret\"]] }\n"));
  for (const std::string user : {"canary", "ann", "bob"}) {
    RunProgram({"/usr/bin/prosodyctl", "--config", folder_ + "/etc/prosody.cfg.lua", "register",
                user, kDomain, user + "-password"});
  }
  std::filesystem::remove(file);
}

void ChatWorld::Supervise() {
  const std::string guard = SharedParts() + "/baton-guard";
  const std::string resource = folder_ + "/resource.conf";
  supervisor_ = Spawn({guard, "run", resource}, folder_ + "/supervisor.log");
  // Nobody asks for it before it is there, or a second one would be started in its place.
  Eventually("the supervisor's socket", [&] {
    return std::filesystem::exists(SupervisorSocket(config_.run_directory, config_.resource));
  });
  fences_ = std::make_unique<GuardFenceStore>(config_,
                                              [](const FenceRecord&) { return absl::OkStatus(); });
  absl::StatusOr<std::unique_ptr<ServiceManager>> service =
      MakeServiceManager(config_, resource, guard);
  ASSERT_TRUE(service.ok()) << service.status();
  service_ = *std::move(service);
  Eventually("the supervisor's first answer", [&] {
    const absl::StatusOr<ServiceStatus> status = service_->Status();
    return status.ok() && status->managed;
  });
  ProsodyHost host{config_, fences_.get(), service_.get(), &clock_};
  absl::StatusOr<std::unique_ptr<ProsodyRunner>> runner = ProsodyRunner::Create(host);
  ASSERT_TRUE(runner.ok()) << runner.status();
  runner_ = *std::move(runner);
  absl::StatusOr<std::unique_ptr<ProsodyProbe>> probe = ProsodyProbe::Create(host);
  ASSERT_TRUE(probe.ok()) << probe.status();
  probe_ = *std::move(probe);
}

Outcome ChatWorld::Do(Action action, absl::Duration timeout) {
  Command command;
  command.id = CommandId(absl::StrCat("command-", ++commands_));
  command.pool = config_.pool;
  command.resource = config_.resource;
  command.epoch = epoch;
  command.timeout = timeout;
  command.action = std::move(action);
  std::promise<Outcome> done;
  const absl::Duration start = MonotonicNow();
  runner_->Start(command, nullptr, [&](Outcome outcome) { done.set_value(std::move(outcome)); });
  Outcome outcome = test::Await(done.get_future());
  std::printf(
      "%-12s %-9s %s\n",
      absl::FormatDuration(absl::Trunc(MonotonicNow() - start, absl::Microseconds(100))).c_str(),
      std::string(ToString(outcome.code)).c_str(), Describe(command.action).c_str());
  return outcome;
}

Outcome ChatWorld::Look(Action action) {
  Command command;
  command.epoch = epoch;
  command.action = std::move(action);
  std::promise<Outcome> done;
  runner_->Look(command, [&](Outcome outcome) { done.set_value(std::move(outcome)); });
  return test::Await(done.get_future());
}

Outcome ChatWorld::Check(Action action) {
  std::promise<Outcome> done;
  runner_->Check(action, [&](Outcome outcome) { done.set_value(std::move(outcome)); });
  return test::Await(done.get_future());
}

ChatObservation ChatWorld::Observe() {
  std::promise<Observation> done;
  probe_->Observe([&](Observation seen) { done.set_value(std::move(seen)); });
  const Observation seen = test::Await(done.get_future());
  EXPECT_TRUE(seen.service_managed);
  return seen.chat() == nullptr ? ChatObservation() : *seen.chat();
}

void ChatWorld::Serve() {
  for (const Action& action : {Action(PointAt{HostId("sql1")}), Action(Activate{})}) {
    const Outcome outcome = Do(action);
    ASSERT_TRUE(outcome.ok()) << outcome.reason << ": " << outcome.message;
  }
}

std::unique_ptr<ChatClient> ChatWorld::Join(const std::string& user) {
  return std::make_unique<ChatClient>("127.0.0.1", c2s_port_, absl::StrCat(user, "@", kDomain),
                                      user + "-password", kRoom);
}

std::string ChatWorld::SendToControl(std::string_view bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(control_port_);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const timeval limit = {20, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  std::string answer;
  if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) {
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, n);
  }
  close(fd);
  return answer;
}

}  // namespace baton::test
