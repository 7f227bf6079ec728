// The guard and a real PostgreSQL, run by an ordinary user.
#include <filesystem>
#include <signal.h>
#include <sys/wait.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/archived_file.h"
#include "agent/guard/fence_file.h"
#include "agent/guard/leftovers.h"
#include "agent/guard/log_file_name.h"
#include "agent/guard/share.h"
#include "common/os/file.h"
#include "common/os/lock.h"
#include "common/os/process.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr char kBin[] = "/usr/lib/postgresql/15/bin/";

class GuardPostgresqlTest : public ::testing::Test {
 protected:
  static GuardWorld::Shape Shape() {
    GuardWorld::Shape shape;
    shape.unprivileged = true;
    shape.command =
        absl::StrCat(kBin, "postgres -D @ROOT@/data -c config_file=@ROOT@/postgresql.conf");
    return shape;
  }

  GuardPostgresqlTest() : world_(Shape()) {
    data_ = world_.root() + "/data";
    world_.Put(
        world_.root() + "/postgresql.conf",
        absl::StrCat("listen_addresses = ''\nunix_socket_directories = '", world_.root(),
                     "'\nhba_file = '", data_, "/pg_hba.conf'\nident_file = '", data_,
                     "/pg_ident.conf'\nshared_buffers = 16MB\nrecovery_init_sync_method = "
                     "syncfs\nwal_level = replica\n",
                     "hot_standby = on\narchive_mode = on\narchive_command = '", world_.guard(),
                     " archive-push ", world_.config_file(), " %p'\nrestore_command = '",
                     world_.guard(), " archive-fetch ", world_.config_file(), " %f %p'\n"));
    const RunResult made = world_.Run({absl::StrCat(kBin, "initdb"), "-D", data_, "-U", "postgres",
                                       "-A", "trust", "--wal-segsize=1", "--no-sync"});
    EXPECT_TRUE(made.ok()) << made.error;
    world_.Write(world_.Open(3));
  }

  ~GuardPostgresqlTest() override {
    pid_t pid = 0;
    const std::string text = world_.Get(data_ + "/postmaster.pid");
    if (absl::SimpleAtoi(text.substr(0, text.find('\n')), &pid) && pid > 1) kill(pid, SIGQUIT);
  }

  RunResult Sql(const std::string& statement) const {
    return world_.Run({absl::StrCat(kBin, "psql"), "-h", world_.root(), "-U", "postgres", "-XAtqc",
                       statement, "postgres"});
  }
  bool Answers() const {
    return GuardWorld::Eventually([this] { return Sql("select 1").ok(); });
  }
  std::string LastSegment() const {
    std::string last;
    const absl::StatusOr<std::vector<std::string>> names = ListDirectory(data_ + "/pg_wal", 1000);
    EXPECT_TRUE(names.ok()) << names.status();
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      const absl::StatusOr<LogFileName> parsed = ParseLogFileName(name);
      if (parsed.ok() && parsed->kind == LogFileKind::kSegment) last = name;
    }
    return last;
  }
  // The lock tells a little earlier than the supervisor knows.
  bool EventuallyDown() const {
    return GuardWorld::Eventually([this] { return !world_.Status().running; });
  }
  SupervisorReply Start() {
    const absl::StatusOr<SupervisorReply> reply = world_.Ask(SupervisorVerb::kStart);
    EXPECT_TRUE(reply.ok() && reply->ok) << reply.status() << reply->error;
    EXPECT_TRUE(Answers()) << world_.Get(world_.run_file(".log"));
    return *reply;
  }
  std::string Fence(const std::string& epoch) const {
    const RunResult result = world_.Guard({"fence", world_.config_file(), epoch});
    EXPECT_EQ(result.exit_status, 0) << result.error;
    return result.output;
  }

  GuardWorld world_;
  std::string data_;
};

TEST_F(GuardPostgresqlTest, AFenceByHandStopsAServingPrimaryAndAStartPastTheGateIsReadOnly) {
  world_.StartSupervisor();
  world_.Confirm();
  Start();
  ASSERT_TRUE(Sql("create table t (i int); insert into t values (1)").ok());
  EXPECT_THAT(Fence("1.4"), HasSubstr("nothing that the gate let start is alive"));
  EXPECT_TRUE(EventuallyDown());
  EXPECT_EQ(world_.Status().last_exit, "exit status 0");  // a clean stop
  const absl::StatusOr<SupervisorReply> again = world_.Ask(SupervisorVerb::kStart);
  ASSERT_TRUE(again.ok() && again->ok);  // the gate lets it start as a standby only
  EXPECT_EQ(again->verdict, "standby");
  EXPECT_TRUE(world_.Ask(SupervisorVerb::kStopClean)->ok);

  const pid_t past = world_.Spawn({absl::StrCat(kBin, "postgres"), "-D", data_, "-c",
                                   absl::StrCat("config_file=", world_.root(), "/postgresql.conf")},
                                  "past.log");
  ASSERT_TRUE(Answers());
  EXPECT_EQ(Sql("select pg_is_in_recovery()").output, "t\n");
  EXPECT_THAT(Sql("insert into t values (2)").error, HasSubstr("read-only"));
  EXPECT_TRUE(absl::IsFailedPrecondition(ProveNothingRuns(world_.config(), absl::ZeroDuration())));
  kill(past, SIGINT);
  world_.Wait(past);
}

TEST_F(GuardPostgresqlTest, AKilledSupervisorsSuccessorAdoptsAndStillFences) {
  const pid_t first = world_.StartSupervisor();
  world_.Confirm();
  const int64_t server = Start().pid;
  world_.Kill(first, SIGKILL);
  EXPECT_TRUE(Sql("create table t (i int)").ok());
  world_.StartSupervisor();
  EXPECT_EQ(world_.Status().pid, server);
  EXPECT_TRUE(Sql("insert into t values (1)").ok());
  Fence("1.4");
  EXPECT_TRUE(EventuallyDown());
}

TEST_F(GuardPostgresqlTest, ACrashedPrimaryComesBackThroughTheGate) {
  world_.StartSupervisor();
  world_.Confirm();
  const int64_t server = Start().pid;
  kill(static_cast<pid_t>(server), SIGKILL);
  EXPECT_TRUE(GuardWorld::Eventually([&] {
    const SupervisorReply status = world_.Status();
    return status.running && status.pid != server && Sql("create table if not exists t ()").ok();
  }));
}

TEST_F(GuardPostgresqlTest, AfterAKilledPostmasterTheLockIsHeldUntilTheLastBackendIsGone) {
  const pid_t server = world_.Spawn({world_.guard(), "exec", world_.config_file()}, "exec.log");
  ASSERT_TRUE(Answers());
  const pid_t client = world_.Spawn({absl::StrCat(kBin, "psql"), "-h", world_.root(), "-U",
                                     "postgres", "-XAtqc", "select pg_sleep(1000)", "postgres"},
                                    "psql.log");
  pid_t backend = 0;
  ASSERT_TRUE(GuardWorld::Eventually([&] {
    return absl::SimpleAtoi(
        Sql("select pid from pg_stat_activity where query like 'select pg_sleep%'").output,
        &backend);
  }));
  ASSERT_EQ(kill(backend, SIGSTOP), 0);  // a backend that does not notice
  world_.Kill(server, SIGKILL);
  world_.Write(world_.InPhase(FencePhase::kClosing, 4));
  // Every other process of the server goes by itself; this one stays, and is named.
  EXPECT_TRUE(GuardWorld::Eventually([&] {
    const absl::Status proof = ProveNothingRuns(world_.config(), absl::Milliseconds(50));
    const std::string message(proof.message());
    return absl::IsDeadlineExceeded(proof) &&
           message.find(absl::StrCat("pid ", backend, " (postgres)")) != std::string::npos &&
           message.find(',') == std::string::npos;
  }));
  kill(backend, SIGCONT);
  EXPECT_TRUE(ProveNothingRuns(world_.config(), absl::Seconds(60)).ok());
  world_.Wait(client);
}

// Its children lead sessions of their own: a busy one does not notice that the postmaster is gone.
class GuardOrphansTest : public GuardPostgresqlTest {
 protected:
  ~GuardOrphansTest() override {
    EXPECT_TRUE(Leftovers::Find(world_.config(), 0).Signal(SIGKILL).ok());
  }

  // A session that computes for very long and then commits; its backend's pid.
  pid_t StartBusySession() {
    EXPECT_TRUE(Sql("create table if not exists t (i int)").ok());
    client_ =
        world_.Spawn({absl::StrCat(kBin, "psql"), "-h", world_.root(), "-U", "postgres", "-XAtqc",
                      "do $$ begin insert into t values (1); for i in 1..2000000000 loop "
                      "perform i; end loop; end $$",
                      "postgres"},
                     "psql.log");
    pid_t backend = 0;
    EXPECT_TRUE(GuardWorld::Eventually([&] {
      return absl::SimpleAtoi(
          Sql("select pid from pg_stat_activity where query like 'do $$%' and state = 'active'")
              .output,
          &backend);
    }));
    return backend;
  }
  // As it is found by whoever comes later: the postmaster is gone, this one is not.
  pid_t StartAndOrphan() {
    const pid_t server = world_.Spawn({world_.guard(), "exec", world_.config_file()}, "exec.log");
    EXPECT_TRUE(Answers());
    const pid_t backend = StartBusySession();
    world_.Kill(server, SIGKILL);
    return backend;
  }
  bool EventuallyAlone(pid_t backend) const {
    return GuardWorld::Eventually([&] {
      const std::vector<LockHolder> left = ProcessesWithFileOpen(FenceLockFile(world_.config()));
      return left.size() == 1 && left[0].pid == backend;
    });
  }

  pid_t client_ = 0;
};

TEST_F(GuardOrphansTest, AKilledPostmastersChildrenAreEndedAndItComesBack) {
  world_.StartSupervisor();
  world_.Confirm();
  const int64_t server = Start().pid;
  const absl::StatusOr<ProcessId> backend = IdentifyProcess(StartBusySession());
  ASSERT_TRUE(backend.ok());
  kill(static_cast<pid_t>(server), SIGKILL);
  EXPECT_TRUE(GuardWorld::Eventually([&] {
    const SupervisorReply status = world_.Status();
    return status.running && status.pid != server && Sql("select 1").ok();
  }));
  EXPECT_FALSE(IsAlive(*backend));
  EXPECT_EQ(Sql("select count(*) from t").output, "0\n");
}

TEST_F(GuardOrphansTest, AFenceEndsWhatAServerLeftBehindBeforeItsSupervisorWasThere) {
  world_.StartSupervisor();
  world_.Confirm();
  const pid_t backend = StartAndOrphan();
  const absl::StatusOr<ProcessId> orphan = IdentifyProcess(backend);
  ASSERT_TRUE(EventuallyAlone(backend));
  EXPECT_THAT(Fence("1.4"), HasSubstr("nothing that the gate let start is alive"));
  // It lets go of its files, and with them of the lock, just before the kernel calls it dead.
  EXPECT_TRUE(GuardWorld::Eventually([&] { return !IsAlive(*orphan); }));
}

TEST_F(GuardOrphansTest, AStopEndsItTooEvenWhereItTakesASecondSignal) {
  world_.StartSupervisor();
  world_.Confirm();
  const pid_t backend = StartAndOrphan();
  ASSERT_TRUE(EventuallyAlone(backend));
  ASSERT_EQ(kill(backend, SIGSTOP), 0);
  const absl::StatusOr<SupervisorReply> stopped = world_.Ask(SupervisorVerb::kStopImmediate);
  ASSERT_TRUE(stopped.ok() && stopped->ok) << stopped.status();
  EXPECT_TRUE(ProveNothingRuns(world_.config(), absl::ZeroDuration()).ok());
}

TEST_F(GuardOrphansTest, EndsNeitherWhatMerelyInheritedTheLockNorTheChildrenOfALiveServer) {
  world_.StartSupervisor();
  world_.Confirm();
  // An operator's shell of a sort, in the data directory, with the lock.
  const pid_t shell =
      world_.Spawn({"/usr/bin/env", "-C", data_, "/usr/bin/flock", "--no-fork", "--shared",
                    FenceLockFile(world_.config()), "/bin/sleep", "1000"},
                   "shell.log");
  const pid_t server = world_.Spawn({world_.guard(), "exec", world_.config_file()}, "exec.log");
  ASSERT_TRUE(Answers());
  EXPECT_TRUE(Leftovers::Find(world_.config(), 0).empty());
  EXPECT_TRUE(world_.Ask(SupervisorVerb::kStopClean)->ok);  // it has none to stop
  EXPECT_TRUE(Sql("select 1").ok());
  const pid_t backend = StartBusySession();
  world_.Kill(server, SIGKILL);
  ASSERT_TRUE(GuardWorld::Eventually(
      [&] { return Leftovers::Find(world_.config(), 0).Pids() == absl::StrCat(backend); }));
  const RunResult fenced = world_.Guard({"fence", world_.config_file(), "1.4", "--timeout=1s"});
  EXPECT_EQ(fenced.exit_status, 75);
  EXPECT_THAT(fenced.error, HasSubstr(absl::StrCat(shell)));
  EXPECT_TRUE(GuardWorld::Eventually(
      [&] { return ProcessesWithFileOpen(FenceLockFile(world_.config())).size() == 1; }));
  world_.Kill(shell, SIGKILL);
}

TEST_F(GuardOrphansTest, AFenceWithoutASupervisorNamesTheProcessesThatAreLeft) {
  const pid_t backend = StartAndOrphan();
  ASSERT_TRUE(EventuallyAlone(backend));
  const RunResult fenced = world_.Guard({"fence", world_.config_file(), "1.4", "--timeout=50ms"});
  EXPECT_EQ(fenced.exit_status, 75);
  EXPECT_THAT(fenced.error, HasSubstr(absl::StrCat("kill -QUIT ", backend, "`")));
  kill(backend, SIGQUIT);
  EXPECT_TRUE(ProveNothingRuns(world_.config(), absl::Seconds(60)).ok());
}

TEST_F(GuardPostgresqlTest, AStandbyRunsOnUnderItsFenceUntilItWasPromoted) {
  FenceRecord closed = world_.InPhase(FencePhase::kClosed, 4);
  closed.fetch = {GuardWorld::MakeLineage(2, "dr-sql1", "dr")};
  world_.Write(closed);
  ASSERT_TRUE(PlaceStandbySignal(world_.config()).ok());
  world_.StartSupervisor();
  const int64_t server = Start().pid;
  EXPECT_FALSE(world_.Status().could_write);
  EXPECT_THAT(Fence("1.5"), HasSubstr("read-only standby"));
  EXPECT_EQ(world_.Status().pid, server);
  world_.Write(world_.Open(6));
  EXPECT_EQ(Sql("select pg_promote()").output, "t\n");
  EXPECT_TRUE(Sql("create table t ()").ok());
  EXPECT_TRUE(world_.Status().could_write);
  EXPECT_THAT(Fence("1.7"), HasSubstr("nothing that the gate let start is alive"));
  EXPECT_TRUE(EventuallyDown());
}

TEST_F(GuardPostgresqlTest, ShipsWhatTheArchiverGivesItUntilTheFenceIsClosed) {
  world_.StartSupervisor();
  world_.Confirm();
  Start();
  const std::string folder =
      LineageFolder(world_.config(), world_.root() + "/home", *world_.Open(3).write);
  const auto ship = [&] {
    const std::string name = Sql("select pg_walfile_name(pg_switch_wal()) from (select "
                                 "pg_logical_emit_message(false,'','x')) m")
                                 .output.substr(0, 24);
    return name;
  };
  const std::string first = ship();
  EXPECT_TRUE(GuardWorld::Eventually([&] { return PublishedBytes(folder, first).ok(); })) << first;
  world_.Write(world_.InPhase(FencePhase::kUnconfirmed, 3));
  const std::string second = ship();
  EXPECT_TRUE(GuardWorld::Eventually([&] { return PublishedBytes(folder, second).ok(); }));
  Fence("1.4");
  const std::string left = data_ + "/pg_wal/" + LastSegment();
  const RunResult tail = world_.Guard({"archive-push", world_.config_file(), left});
  EXPECT_EQ(tail.exit_status, 0) << tail.error;  // closing ships
  world_.Write(world_.InPhase(FencePhase::kClosed, 4));
  EXPECT_EQ(world_.Guard({"archive-push", world_.config_file(), left}).exit_status, 109);
}

}  // namespace
}  // namespace baton
