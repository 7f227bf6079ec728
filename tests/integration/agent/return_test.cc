// A host that was away while its right to write was taken: a real PostgreSQL under a real
// supervisor, the program baton-agent, and a coordinator that sends no command.
#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/fence_file.h"
#include "common/os/file.h"
#include "common/os/lock.h"
#include "guard_world.h"
#include "tests/integration/agent/scripted_coordinator.h"
#include "tests/support/free_port.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr char kBin[] = "/usr/lib/postgresql/15/bin/";

GuardWorld::Shape Database(int port) {
  GuardWorld::Shape shape;
  shape.unprivileged = true;
  shape.command = absl::StrCat(kBin, "postgres -D @ROOT@/data -c config_file=@ROOT@/pg.conf");
  shape.more =
      absl::StrCat("postgresql.bin_directory = ", std::string(kBin).substr(0, sizeof(kBin) - 2),
                   "\npostgresql.address = 127.0.0.1\npostgresql.port = ", port,
                   "\npostgresql.user = postgres\npostgresql.password_file = /dev/null\n"
                   "postgresql.database = postgres\n");
  return shape;
}

class ReturnTest : public testing::Test {
 protected:
  ReturnTest() : port_(test::FreePort()), world_(Database(port_)) {
    const std::string& root = world_.root();
    world_.Put(root + "/pg.conf",
               absl::StrCat("listen_addresses = '127.0.0.1'\nport = ", port_,
                            "\nunix_socket_directories = ''\nhba_file = '", root,
                            "/data/pg_hba.conf'\nident_file = '", root,
                            "/data/pg_ident.conf'\nshared_buffers = 16MB\nfsync = on\n"
                            "wal_level = replica\narchive_mode = on\narchive_command = '",
                            world_.guard(), " archive-push ", world_.config_file(), " %p'\n"));
    const RunResult made = world_.Run({absl::StrCat(kBin, "initdb"), "-D", root + "/data", "-U",
                                       "postgres", "-A", "trust", "--wal-segsize=1", "--no-sync"});
    EXPECT_TRUE(made.ok()) << made.error;
    std::filesystem::copy_file(BATON_BIN_DIR "/baton-agent", root + "/baton-agent");
    world_.Put(root + "/agent.conf",
               absl::StrCat("host = home-sql1\ncoordinator = ", coordinator_.address(),
                            "\nledger = ", root, "/log/ledger.db\nresources = ",
                            world_.config_file(), "\nguard = ", world_.guard(), "\n"));
    world_.Write(world_.Open(3));
    supervisor_ = world_.StartSupervisor();
    world_.Confirm();
    EXPECT_TRUE(world_.Ask(SupervisorVerb::kStart)->ok);
    EXPECT_TRUE(GuardWorld::Eventually([this] { return Sql("create table t (i int)").ok(); }));
    server_ = static_cast<pid_t>(world_.Status().pid);
  }

  ~ReturnTest() override {
    KillAgent();
    pid_t pid = 0;
    const std::string text = world_.Get(world_.root() + "/data/postmaster.pid");
    if (absl::SimpleAtoi(text.substr(0, text.find('\n')), &pid) && pid > 1) kill(pid, SIGQUIT);
  }

  // A new agent's session, welcomed.
  std::shared_ptr<ScriptedSession> Return() {
    agent_ = world_.Spawn(
        {world_.root() + "/baton-agent", "--config", world_.root() + "/agent.conf"}, "agent.log");
    std::shared_ptr<ScriptedSession> session = coordinator_.AwaitSession();
    EXPECT_NE(session, nullptr) << world_.Get(world_.root() + "/agent.log");
    if (session != nullptr) session->Welcome();
    return session;
  }
  void KillAgent() {
    if (agent_ > 0) world_.Kill(agent_, SIGKILL);
    agent_ = 0;
  }
  // Everything of the host, as if its power had gone, but for its boot.
  void KillEverything() {
    KillAgent();
    world_.Kill(supervisor_, SIGKILL);
    kill(server_, SIGKILL);
    EXPECT_TRUE(GuardWorld::Eventually(
        [this] { return ProcessesWithFileOpen(FenceLockFile(world_.config())).empty(); }));
  }

  // Leaves what a ShipTail leaves whose agent dies while a crashed primary recovers: it runs
  // read-only under its fence.
  void RecoverUnderItsFence() {
    EXPECT_TRUE(PlaceStandbySignal(world_.config()).ok());
    world_.Write(world_.InPhase(FencePhase::kClosing, 3));
    EXPECT_TRUE(GuardWorld::Eventually([this] { return !world_.Status().running; }));
    EXPECT_TRUE(world_.Ask(SupervisorVerb::kStart)->ok);
    EXPECT_TRUE(GuardWorld::Eventually(
        [this] { return Sql("select pg_is_in_recovery()").output == "t\n"; }));
  }

  void Revoke(ScriptedSession* session, uint64_t counter) {
    v1::CoordinatorMessage message;
    message.mutable_revoke()->set_pool("chat.example.com");
    message.mutable_revoke()->set_resource("mgc");
    message.mutable_revoke()->mutable_epoch()->set_generation(1);
    message.mutable_revoke()->mutable_epoch()->set_counter(counter);
    session->Send(message);
  }
  v1::Outcome AwaitRevoked(ScriptedSession* session) {
    const auto heard = session->Await([](const v1::AgentMessage& m) { return m.has_revoked(); });
    return heard.has_value() ? heard->revoked().outcome() : v1::Outcome();
  }
  v1::Outcome Confirm(ScriptedSession* session, uint64_t counter) {
    v1::CoordinatorMessage message;
    message.mutable_confirm()->set_pool("chat.example.com");
    message.mutable_confirm()->set_resource("mgc");
    message.mutable_confirm()->mutable_epoch()->set_generation(1);
    message.mutable_confirm()->mutable_epoch()->set_counter(counter);
    message.mutable_confirm()->set_boot_id("boot-1");
    session->Send(message);
    const auto heard = session->Await([](const v1::AgentMessage& m) { return m.has_confirmed(); });
    return heard.has_value() ? heard->confirmed().outcome() : v1::Outcome();
  }
  // The first observation that `wanted` takes.
  std::optional<v1::Observation> AwaitSeen(
      ScriptedSession* session, const std::function<bool(const v1::Observation&)>& wanted) {
    const auto fits = [&](const v1::AgentMessage& m) {
      return m.has_report() && m.report().observations_size() > 0 &&
             wanted(m.report().observations(0));
    };
    const auto heard = session->Await(fits);
    if (!heard.has_value()) return std::nullopt;
    return heard->report().observations(0);
  }
  std::optional<v1::Observation> AwaitFenced(ScriptedSession* session) {
    return AwaitSeen(session, [](const v1::Observation& seen) { return seen.fence().proven(); });
  }

  RunResult Sql(const std::string& statement) const {
    return world_.Run({absl::StrCat(kBin, "psql"), "-h", "127.0.0.1", "-p", absl::StrCat(port_),
                       "-U", "postgres", "-XAtqc", statement, "postgres"});
  }

  ScriptedCoordinator coordinator_;
  const int port_;
  GuardWorld world_;
  pid_t supervisor_ = 0;
  pid_t server_ = 0;
  pid_t agent_ = 0;
};

TEST_F(ReturnTest, AServingPrimaryIsFencedAndStoppedWithoutAnyCommand) {
  auto before = Return();
  ASSERT_NE(before, nullptr);
  ASSERT_EQ(Confirm(before.get(), 3).code(), v1::OUTCOME_CODE_OK);
  KillAgent();  // cut off: its server goes on
  ASSERT_TRUE(Sql("insert into t values (1)").ok());
  auto session = Return();
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->hello().fences(0).fence().phase(), v1::FENCE_PHASE_OPEN);
  Revoke(session.get(), 5);
  EXPECT_EQ(AwaitRevoked(session.get()).code(), v1::OUTCOME_CODE_OK);
  const std::optional<v1::Observation> seen = AwaitFenced(session.get());
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->fence().phase(), v1::FENCE_PHASE_CLOSING);
  EXPECT_EQ(seen->fence().fence_epoch().counter(), 5u);
  EXPECT_EQ(seen->fence().write_epoch().counter(), 3u);
  EXPECT_EQ(seen->database().state(), v1::DATABASE_STATE_DOWN);
  EXPECT_TRUE(seen->database().clean_shutdown());
  EXPECT_TRUE(seen->database().standby_signal());
  EXPECT_FALSE(Sql("insert into t values (2)").ok());
  EXPECT_FALSE(world_.Status().running);
  EXPECT_FALSE(world_.Status().desired_up);
  // And again, as a coordinator does that has not heard of it: nothing changes.
  const std::string fence = world_.Get(world_.config().fence_file);
  Revoke(session.get(), 5);
  EXPECT_EQ(AwaitRevoked(session.get()).code(), v1::OUTCOME_CODE_OK);
  EXPECT_EQ(world_.Get(world_.config().fence_file), fence);
}

TEST_F(ReturnTest, WhatWasKilledStaysDownAndIsFencedBeforeItEverStarts) {
  auto before = Return();
  ASSERT_NE(before, nullptr);
  ASSERT_EQ(Confirm(before.get(), 3).code(), v1::OUTCOME_CODE_OK);
  KillEverything();
  auto session = Return();  // its supervisor is started by the agent's first look
  ASSERT_NE(session, nullptr);
  const auto down = AwaitSeen(session.get(), [](const v1::Observation& seen) {
    return seen.service_managed() && seen.fence().phase() == v1::FENCE_PHASE_UNCONFIRMED;
  });
  ASSERT_TRUE(down.has_value());
  EXPECT_EQ(down->database().state(), v1::DATABASE_STATE_DOWN);
  Revoke(session.get(), 5);
  EXPECT_EQ(AwaitRevoked(session.get()).code(), v1::OUTCOME_CODE_OK);
  const std::optional<v1::Observation> seen = AwaitFenced(session.get());
  ASSERT_TRUE(seen.has_value());
  EXPECT_TRUE(seen->database().standby_signal());
  EXPECT_EQ(Confirm(session.get(), 3).reason(), "FENCED");
  EXPECT_FALSE(world_.Status().running);
  EXPECT_THAT(world_.Get(world_.root() + "/data/postmaster.pid"), HasSubstr(absl::StrCat(server_)))
      << "it was started in between";
}

TEST_F(ReturnTest, WhatRunsReadOnlyUnderItsFenceIsStoppedForNothingNeedsIt) {
  RecoverUnderItsFence();
  auto session = Return();
  ASSERT_NE(session, nullptr);
  Revoke(session.get(), 5);
  EXPECT_EQ(AwaitRevoked(session.get()).code(), v1::OUTCOME_CODE_OK);
  const auto seen = AwaitSeen(session.get(), [](const v1::Observation& one) {
    return one.fence().proven() && one.fence().fence_epoch().counter() == 5;
  });
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->fence().phase(), v1::FENCE_PHASE_CLOSING);
  EXPECT_EQ(seen->fence().write_epoch().counter(), 3u);
  EXPECT_EQ(seen->database().state(), v1::DATABASE_STATE_DOWN);
  EXPECT_TRUE(seen->database().standby_signal());
  EXPECT_FALSE(world_.Status().desired_up);
}

TEST_F(ReturnTest, WhatRunsReadOnlyUnderItsFenceIsStoppedThoughSupervisorAndAgentDieAtIt) {
  RecoverUnderItsFence();
  world_.Kill(supervisor_, SIGKILL);
  ASSERT_NE(Return(), nullptr);  // it begins with a supervisor, which takes over what runs
  KillAgent();
  auto session = Return();
  ASSERT_NE(session, nullptr);
  const std::optional<v1::Observation> seen = AwaitFenced(session.get());
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->database().state(), v1::DATABASE_STATE_DOWN);
  EXPECT_FALSE(world_.Status().running);
}

TEST_F(ReturnTest, WhatWasKilledStartsAsSoonAsItsRightIsConfirmed) {
  auto before = Return();
  ASSERT_NE(before, nullptr);
  ASSERT_EQ(Confirm(before.get(), 3).code(), v1::OUTCOME_CODE_OK);
  ASSERT_TRUE(Sql("insert into t values (1)").ok());
  KillEverything();
  supervisor_ = world_.StartSupervisor();
  EXPECT_EQ(ReadFenceFile(world_.config())->phase, FencePhase::kUnconfirmed);
  auto session = Return();
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->hello().fences(0).fence().phase(), v1::FENCE_PHASE_UNCONFIRMED);
  EXPECT_EQ(Confirm(session.get(), 3).code(), v1::OUTCOME_CODE_OK);
  EXPECT_TRUE(AwaitSeen(session.get(), [](const v1::Observation& seen) {
                return seen.database().state() == v1::DATABASE_STATE_PRIMARY;
              }).has_value());
  EXPECT_EQ(Sql("select i from t").output, "1\n");
  EXPECT_EQ(ReadFenceFile(world_.config())->phase, FencePhase::kOpen);
}

}  // namespace
}  // namespace baton
