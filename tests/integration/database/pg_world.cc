#include "tests/integration/database/pg_world.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "gtest/gtest.h"

#include "agent/guard/host/guard_archive_store.h"
#include "agent/guard/host/guard_fence_store.h"
#include "agent/service/service_manager.h"
#include "common/os/lock.h"
#include "common/os/monotonic.h"
#include "common/os/process.h"
#include "common/protocol/supervisor_control.h"
#include "tests/support/free_port.h"
#include "tests/support/stray_supervisors.h"

namespace baton::test {
namespace {

constexpr char kBin[] = "/usr/lib/postgresql/15/bin";
constexpr absl::Duration kPatience = absl::Seconds(60);

// The guard, where the unprivileged user can reach it: the clone may lie in a folder that is closed
// to others. One copy for all worlds of this process, made while it may still read the clone.
const std::string& GuardProgram() {
  static const auto* const program = [] {
    char pattern[] = "/tmp/batonpgguardXXXXXX";
    const std::string folder = mkdtemp(pattern);
    auto* const copy = new std::string(folder + "/baton-guard");
    std::filesystem::copy_file(BATON_BIN_DIR "/baton-guard", *copy);
    std::filesystem::permissions(folder, std::filesystem::perms(0755));
    return copy;
  }();
  return *program;
}

void Write(const std::string& path, const std::string& text, mode_t mode = 0644) {
  std::ofstream(path) << text;
  ASSERT_EQ(chmod(path.c_str(), mode), 0) << path;
}

std::string RunProgram(std::vector<std::string> argv, std::vector<std::string> environment = {}) {
  RunOptions options;
  options.argv = std::move(argv);
  options.environment = std::move(environment);
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
  std::fflush(stdout);  // or the child says it again
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

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

template <class Result>
Result Await(std::future<Result>* future) {
  if (future->wait_for(std::chrono::seconds(120)) != std::future_status::ready) {
    ADD_FAILURE() << "no completion came";
    std::abort();
  }
  return future->get();
}

}  // namespace

void LeaveRoot() {
  const std::string folder = std::filesystem::path(GuardProgram()).parent_path();
  std::atexit(
      [] { std::filesystem::remove_all(std::filesystem::path(GuardProgram()).parent_path()); });
  std::filesystem::current_path("/");
  if (getuid() != 0) return;
  const passwd* nobody = getpwnam("nobody");
  if (nobody == nullptr || chown(folder.c_str(), nobody->pw_uid, nobody->pw_gid) != 0 ||
      setgroups(0, nullptr) != 0 || setgid(nobody->pw_gid) != 0 || setuid(nobody->pw_uid) != 0) {
    std::abort();
  }
}

pid_t Site::Postmaster() const {
  pid_t pid = 0;
  std::ifstream(config.data_directory + "/postmaster.pid") >> pid;
  return pid;
}

World::World() {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a dead supervisor leaves comes here
  char pattern[] = "/tmp/batonpgXXXXXX";
  folder_ = mkdtemp(pattern);
  for (const char* share : {"home-share", "away-share"}) {
    std::filesystem::create_directories(absl::StrCat(folder_, "/", share));
    Write(absl::StrCat(folder_, "/", share, "/.baton-share"), absl::StrCat(share, "\n"));
  }
  Write(folder_ + "/password", "secret");
  Write(folder_ + "/passfile", "*:*:*:baton:secret\n", 0600);
  const int home_port = FreePort();
  const int away_port = FreePort();
  MakeSite("home", &home_, home_port, away_port);
  MakeSite("away", &away_, away_port, home_port);
  Bootstrap();
  Supervise(&home_);
  Supervise(&away_);
  Adopt();
}

World::~World() {
  for (Site* site : {&home_, &away_}) {
    site->runner.reset();
    site->probe.reset();
    // One that an action started in its place, too.
    for (const LockHolder& holder :
         ProcessesWithFileOpen(site->config.run_directory + "/mgc.supervisor.lock")) {
      if (holder.pid != site->supervisor) kill(holder.pid, SIGTERM);
    }
    if (site->supervisor <= 0) continue;
    kill(site->supervisor, SIGTERM);
    waitpid(site->supervisor, nullptr, 0);
  }
  if (::testing::Test::HasFailure()) {
    for (Site* site : {&home_, &away_}) {
      std::error_code error;
      for (const auto& entry :
           std::filesystem::directory_iterator(site->config.run_directory, error)) {
        if (entry.path().extension() != ".log") continue;
        std::fprintf(stderr, "--- %s\n%s\n", entry.path().c_str(),
                     ReadText(entry.path().string()).c_str());
      }
    }
  }
  if (getenv("BATON_KEEP_WORLD") != nullptr) return;
  // What a killed server's processes still do in it may make or take a file meanwhile.
  Eventually("its folder is removed", [&] {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
    return !error;
  });
}

void World::MakeSite(const std::string& name, Site* site, int port, int other_port) {
  site->folder = absl::StrCat(folder_, "/", name);
  for (const char* part : {"", "/etc", "/run", "/copy"}) {
    std::filesystem::create_directories(site->folder + part);
  }
  Write(site->folder + "/boot_id", absl::StrCat("boot-of-", name, "\n"));
  const std::string text = absl::Substitute(
      "resource = mgc\npool = chat.example\nhost = $0\nkind = database\nengine = postgresql\n"
      "manager = direct\ncommand = $1/postgres -D $2/data -c config_file=$2/etc/postgresql.conf\n"
      "data_directory = $2/data\nrun_directory = $2/run\nfence_file = $2/fence\n"
      "boot_id_file = $2/boot_id\nshare = $0-share\nshare.home-share = $3/home-share\n"
      "share.away-share = $3/away-share\ncopy_destination = $2/copy\nstop_timeout = 20s\n"
      "postgresql.bin_directory = $1\npostgresql.address = 127.0.0.1\npostgresql.port = $4\n"
      "postgresql.user = baton\npostgresql.password_file = $3/passfile\n"
      "postgresql.database = postgres\npostgresql.settings_file = $2/etc/shipping.conf\n"
      "postgresql.instance.$5 = 127.0.0.1:$6\n",
      name, kBin, site->folder, folder_, port, name == "home" ? "away" : "home", other_port);
  Write(site->folder + "/resource.conf", text);
  const absl::StatusOr<ResourceConfig> config = ParseResourceConfig(text, "resource.conf");
  ASSERT_TRUE(config.ok()) << config.status();
  site->config = *config;
  WriteConfiguration(*site);
}

void World::WriteConfiguration(const Site& site) {
  Write(site.folder + "/etc/postgresql.conf",
        absl::Substitute(
            "hba_file = '$0/etc/pg_hba.conf'\nident_file = '$0/etc/pg_ident.conf'\n"
            "listen_addresses = '127.0.0.1'\nport = $1\nunix_socket_directories = ''\n"
            "max_connections = 20\nshared_buffers = 16MB\nmin_wal_size = 4MB\nmax_wal_size = 64MB\n"
            "wal_level = replica\nhot_standby = on\nwal_log_hints = on\narchive_mode = on\n"
            "archive_timeout = 1s\narchive_command = '$2 archive-push $0/resource.conf %p'\n"
            "restore_command = '$2 archive-fetch $0/resource.conf %f %p'\n"
            "recovery_target_timeline = latest\nwal_retrieve_retry_interval = 100ms\n"
            "max_standby_archive_delay = 0\nrestart_after_crash = off\n"
            "include_if_exists = 'shipping.conf'\n"
            "include_if_exists = 'extra.conf'\n",
            site.folder, site.config.engine.at("port"), GuardProgram()));
  Write(site.folder + "/etc/pg_hba.conf",
        "host all baton 127.0.0.0/8 scram-sha-256\nhost replication baton 127.0.0.0/8 "
        "scram-sha-256\n");
  Write(site.folder + "/etc/pg_ident.conf", "");
}

void World::Bootstrap() {
  const std::string bin = kBin;
  const std::string config = "config_file=" + home_.folder + "/etc/postgresql.conf";
  RunProgram({bin + "/initdb", "-D", home_.config.data_directory, "-U", "baton", "--wal-segsize=1",
              "--auth=scram-sha-256", "--pwfile=" + folder_ + "/password", "--encoding=UTF8",
              "--locale=C", "--no-sync"});
  const pid_t pid = Spawn({bin + "/postgres", "-D", home_.config.data_directory, "-c", config, "-c",
                           "archive_command=", "-c", "fsync=off"},
                          folder_ + "/bootstrap.log");
  const auto endpoint = postgresql::EndpointOf(home_.config);
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  Eventually("bootstrap server answers", [&] {
    auto connection =
        postgresql::PostgresqlConnection::Connect(*endpoint, absl::Seconds(5), nullptr);
    if (!connection.ok()) return false;
    const auto made = connection->Query("CREATE TABLE posts (id bigint PRIMARY KEY)", kPatience);
    EXPECT_TRUE(made.ok()) << made.status();
    return true;
  });
  RunProgram({bin + "/pg_basebackup", "-D", away_.config.data_directory, "-h", "127.0.0.1", "-p",
              home_.config.engine.at("port"), "-U", "baton", "--wal-method=stream",
              "--checkpoint=fast", "--no-sync"},
             {"PGPASSFILE=" + folder_ + "/passfile"});
  Write(away_.config.data_directory + "/standby.signal", "", 0600);
  kill(pid, SIGINT);
  waitpid(pid, nullptr, 0);
}

void World::StartSupervisor(Site* site) {
  const std::string socket = SupervisorSocket(site->config.run_directory, site->config.resource);
  std::filesystem::remove(socket);
  site->supervisor = Spawn({GuardProgram(), "run", site->folder + "/resource.conf"},
                           site->folder + "/supervisor.log");
  // Nobody asks for it before it is there, or a second one would be started in its place.
  Eventually("the supervisor listens", [&] {
    // A start that its killed predecessor had begun may hold its lock a moment longer.
    if (waitpid(site->supervisor, nullptr, WNOHANG) == site->supervisor) {
      site->supervisor = Spawn({GuardProgram(), "run", site->folder + "/resource.conf"},
                               site->folder + "/supervisor.log");
    }
    return std::filesystem::exists(socket);
  });
}

void World::KillAll(Site& site) {
  kill(site.supervisor, SIGKILL);
  waitpid(site.supervisor, nullptr, 0);
  site.supervisor = 0;
  KillStraySupervisors(site.config);
  const pid_t postmaster = site.Postmaster();
  if (postmaster > 1) {
    kill(postmaster, SIGKILL);
    waitpid(postmaster, nullptr, 0);  // a zombie's pid would still count as a running server
  }
  Eventually("all of it is gone",
             [&] { return site.fences->ProveNothingRuns(absl::ZeroDuration()).ok(); });
}

void World::Reboot(Site& site, bool remembers) {
  KillAll(site);
  Write(site.folder + "/boot_id", absl::StrCat("boot-", ++boots_, "\n"));
  if (!remembers) {
    std::filesystem::remove(absl::StrCat(site.config.run_directory, "/mgc.state"));
  }
  StartSupervisor(&site);
}

void World::Guard(Site& site, const std::string& verb, const std::vector<std::string>& words) {
  std::vector<std::string> argv = {GuardProgram(), verb, site.folder + "/resource.conf"};
  argv.insert(argv.end(), words.begin(), words.end());
  RunProgram(std::move(argv));
}

void World::Supervise(Site* site) {
  StartSupervisor(site);
  const std::string file = site->folder + "/resource.conf";
  site->fences = std::make_unique<GuardFenceStore>(
      site->config, [](const FenceRecord&) { return absl::OkStatus(); });
  site->archive = std::make_unique<GuardArchiveStore>(site->config, file, GuardProgram());
  auto service = MakeServiceManager(site->config, file, GuardProgram());
  ASSERT_TRUE(service.ok()) << service.status();
  site->service = *std::move(service);
  PostgresqlHost host{site->config,
                      site->fences.get(),
                      site->service.get(),
                      site->archive.get(),
                      &clock_,
                      [site](const ProcessId& child) {
                        site->children.push_back(child.pid);
                        return absl::OkStatus();
                      }};
  auto runner = PostgresqlRunner::Create(host);
  auto probe = PostgresqlProbe::Create(host);
  ASSERT_TRUE(runner.ok() && probe.ok()) << runner.status() << probe.status();
  site->runner = *std::move(runner);
  site->probe = *std::move(probe);
  Eventually("supervisor answers", [&] {
    const auto status = site->service->Status();
    return status.ok() && status->managed;
  });
}

void World::Adopt() {
  NextEpoch();
  const Outcome seen = Do(home_, CheckDatabase{InstanceRole::kPrimary, "", false, false});
  ASSERT_TRUE(seen.ok()) << seen.message;
  system_id_ = seen.system_id;
  lineages_.push_back(LineageOf(home_));
  for (const auto& [site, action] : std::vector<std::pair<Site*, Action>>{
           {&away_, Fence{}}, {&away_, StartStandby{lineages_}}, {&home_, Unfence{lineage()}}}) {
    const Outcome outcome = Do(*site, action);
    ASSERT_TRUE(outcome.ok()) << outcome.message;
  }
}

Lineage World::LineageOf(const Site& site) const {
  return {system_id_, epoch_, site.config.host, site.config.share, std::nullopt};
}

Outcome World::Do(Site& site, Action action, absl::Duration timeout) {
  Command command;
  command.id = CommandId(absl::StrCat("c", ++commands_));
  command.pool = site.config.pool;
  command.resource = site.config.resource;
  command.epoch = epoch_;
  command.timeout = timeout;
  command.action = std::move(action);
  std::promise<Outcome> promise;
  std::future<Outcome> future = promise.get_future();
  const absl::Duration start = MonotonicNow();
  site.runner->Start(command, nullptr, [&promise](Outcome o) { promise.set_value(std::move(o)); });
  Outcome outcome = Await(&future);
  timings_.push_back({site.config.host.value() + " " + std::string(ActionName(command.action)),
                      MonotonicNow() - start});
  return outcome;
}

Outcome World::Look(Site& site, Action action) {
  Command command;
  command.id = CommandId("look");
  command.epoch = epoch_;
  command.action = std::move(action);
  std::promise<Outcome> promise;
  std::future<Outcome> future = promise.get_future();
  site.runner->Look(command, [&promise](Outcome o) { promise.set_value(std::move(o)); });
  return Await(&future);
}

Outcome World::Check(Site& site, Action action) {
  std::promise<Outcome> promise;
  std::future<Outcome> future = promise.get_future();
  site.runner->Check(action, [&promise](Outcome o) { promise.set_value(std::move(o)); });
  return Await(&future);
}

Observation World::Observe(Site& site) {
  std::promise<Observation> promise;
  std::future<Observation> future = promise.get_future();
  site.probe->Observe([&promise](Observation o) { promise.set_value(std::move(o)); });
  return Await(&future);
}

bool World::Switchover(Site& from, Site& to) {
  for (const auto& [site, role] :
       {std::pair{&from, InstanceRole::kPrimary}, std::pair{&to, InstanceRole::kBackup}}) {
    const Outcome checked = Do(*site, CheckDatabase{role, system_id_, true, true});
    EXPECT_TRUE(checked.ok()) << checked.message;
    if (!checked.ok()) return false;
  }
  timings_.clear();
  NextEpoch();
  for (const Action& action : std::vector<Action>{EndConnections{}, Fence{}}) {
    const Outcome outcome = Do(from, action);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    if (!outcome.ok()) return false;
  }
  const Outcome shipped = Do(from, ShipTail{});
  EXPECT_TRUE(shipped.ok() && shipped.position.has_value()) << shipped.message;
  return shipped.ok() && TakeOver(from, to, *shipped.position);
}

bool World::TakeOver(Site& from, Site& to, const LogPosition& final) {
  lineages_.back().sealed = final;
  std::vector<std::pair<Site*, Action>> steps = {{&to, CopyPendingLogs{lineages_}},
                                                 {&to, ApplyPendingLogs{final}}};
  lineages_.push_back(LineageOf(to));
  steps.push_back({&to, Recover{lineage()}});
  steps.push_back({&from, StartStandby{lineages_}});
  for (const auto& [site, action] : steps) {
    const Outcome outcome = Do(*site, action);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    if (!outcome.ok()) return false;
    if (std::holds_alternative<Recover>(action) && on_recovered) on_recovered(to);
  }
  return true;
}

std::string World::Sql(Site& site, const char* sql) {
  const auto endpoint = postgresql::EndpointOf(site.config);
  auto connection = postgresql::PostgresqlConnection::Connect(*endpoint, kPatience, nullptr);
  if (!connection.ok()) {
    ADD_FAILURE() << connection.status();
    return "";
  }
  const auto rows = connection->Query(sql, kPatience);
  EXPECT_TRUE(rows.ok()) << rows.status();
  return rows.ok() && rows->size() > 0 ? rows->Text(0, 0) : "";
}

std::set<int64_t> World::Stored(Site& site) {
  std::set<int64_t> stored;
  const std::string text = Sql(site, "SELECT string_agg(id::text, ',') FROM posts");
  for (const auto word : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    int64_t id = 0;
    if (absl::SimpleAtoi(word, &id)) stored.insert(id);
  }
  return stored;
}

void PgCtl(const Site& site, const std::vector<std::string>& words) {
  RunOptions options;
  options.argv = {site.config.engine.at("bin_directory") + "/pg_ctl", "-D",
                  site.config.data_directory};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.timeout = absl::Seconds(60);
  const absl::StatusOr<RunResult> result = baton::Run(options);
  EXPECT_TRUE(result.ok() && result->ok()) << words[0];
}

bool World::Eventually(const std::string& what, const std::function<bool()>& condition) {
  const absl::Duration deadline = MonotonicNow() + kPatience;
  while (!condition()) {
    if (MonotonicNow() > deadline) {
      ADD_FAILURE() << "never happened: " << what;
      return false;
    }
    Pause(absl::Milliseconds(2));
  }
  return true;
}

Writer::Writer(const Site& primary) : passfile_(primary.config.engine.at("password_file")) {
  Follow(primary);
  thread_ = std::thread([this] { Work(); });
}

Writer::~Writer() {
  if (thread_.joinable()) Stop();
}

void Writer::Follow(const Site& primary) {
  int port = 0;
  if (absl::SimpleAtoi(primary.config.engine.at("port"), &port)) port_ = port;
}

std::vector<int64_t> Writer::Stop() {
  ending_ = true;
  thread_.join();
  return acknowledged_;
}

absl::Duration Writer::TakeLongestGap() { return absl::Nanoseconds(longest_gap_ns_.exchange(0)); }

void Writer::Work() {
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection(nullptr, &PQfinish);
  int connected_to = 0;
  absl::Duration last = MonotonicNow();
  for (int64_t id = 1; !ending_; ++id, Pause(absl::Milliseconds(1))) {
    if (connection == nullptr || PQstatus(connection.get()) != CONNECTION_OK ||
        connected_to != port_) {
      connected_to = port_;
      const std::string where = absl::StrCat("host=127.0.0.1 port=", connected_to,
                                             " user=baton dbname=postgres connect_timeout=2 "
                                             "application_name=chat passfile=",
                                             passfile_);
      connection.reset(PQconnectdb(where.c_str()));
      if (PQstatus(connection.get()) != CONNECTION_OK) continue;
    }
    const std::string insert = absl::StrCat("INSERT INTO posts VALUES (", id, ")");
    PGresult* result = PQexec(connection.get(), insert.c_str());
    const bool committed = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!committed) continue;
    const absl::Duration now = MonotonicNow();
    longest_gap_ns_ = std::max<int64_t>(longest_gap_ns_, absl::ToInt64Nanoseconds(now - last));
    last = now;
    acknowledged_.push_back(id);
    ++count_;
  }
}

}  // namespace baton::test
