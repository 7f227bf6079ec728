// The program baton-agent, from outside.
#include <cstdlib>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "gtest/gtest.h"

#include "common/os/file.h"
#include "common/os/process.h"
#include "tests/integration/agent/scripted_coordinator.h"

namespace baton {
namespace {

const char kProgram[] = BATON_BIN_DIR "/baton-agent";

class AgentProgramTest : public testing::Test {
 protected:
  AgentProgramTest() {
    char name[] = "/tmp/baton-program-XXXXXX";
    folder_ = mkdtemp(name);
    Write("boot", "boot-1\n");
    Write("pgpass", "");
    // Looks after nothing, so that no test leaves a supervisor behind.
    Write("guard", "#!/bin/sh\nexit 1\n");
    chmod((folder_ + "/guard").c_str(), 0755);
    chmod((folder_ + "/pgpass").c_str(), 0600);
    Write("mgc.conf", Resource());
    Write("agent.conf", Config());
  }
  ~AgentProgramTest() override {
    for (const pid_t pid : started_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    RunOptions remove;
    remove.argv = {"/bin/rm", "-r", folder_};
    (void)baton::Run(remove);
  }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }
  std::string Config() const {
    return "host = h1\ncoordinator = " + coordinator_.address() + "\nledger = " + folder_ +
           "/ledger.db\nresources = " + folder_ + "/mgc.conf\nguard = " + folder_ + "/guard\n";
  }
  std::string Resource() const {
    return "resource = mgc\npool = chat.example.com\nhost = h1\nkind = database\n"
           "engine = postgresql\nmanager = direct\ncommand = /bin/false\ndata_directory = " +
           folder_ + "/data\nrun_directory = " + folder_ + "/run\nfence_file = " + folder_ +
           "/fence\nboot_id_file = " + folder_ + "/boot\nshare = s1\nshare.s1 = " + folder_ +
           "/s1\ncopy_destination = " + folder_ +
           "/copied\npostgresql.bin_directory = /usr/lib/postgresql/15/bin\n"
           "postgresql.address = 127.0.0.1\npostgresql.port = 1\npostgresql.user = baton\n"
           "postgresql.password_file = " +
           folder_ + "/pgpass\npostgresql.database = mgc\n";
  }
  pid_t Start() {
    const pid_t pid = fork();
    if (pid == 0) {
      const std::string config = folder_ + "/agent.conf";
      execl(kProgram, kProgram, "--config", config.c_str(), nullptr);
      _exit(127);
    }
    started_.push_back(pid);
    return pid;
  }
  int End(pid_t pid, int signal) {
    kill(pid, signal);
    int status = 0;
    waitpid(pid, &status, 0);
    std::erase(started_, pid);
    return status;
  }
  RunResult RunWith(const std::vector<std::string>& arguments) const {
    RunOptions options;
    options.argv = {kProgram};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    return baton::Run(options).value();
  }

  ScriptedCoordinator coordinator_;
  std::string folder_;
  std::vector<pid_t> started_;
};

TEST_F(AgentProgramTest, KeepsItsLedgerOverAKillAndEndsInOrderOnSigterm) {
  const pid_t first = Start();
  auto session = coordinator_.AwaitSession();
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->hello().boot_id(), "boot-1");
  EXPECT_EQ(session->hello().fences_size(), 1);
  const v1::Hello before = session->hello();
  EXPECT_TRUE(WIFSIGNALED(End(first, SIGKILL)));
  const pid_t second = Start();
  session = coordinator_.AwaitSession();
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->hello().ledger_id(), before.ledger_id());
  EXPECT_GT(session->hello().session_counter(), before.session_counter());
  session->Welcome();
  EXPECT_TRUE(session
                  ->Await([](const v1::AgentMessage& heard) {
                    return heard.has_report() && heard.report().full();
                  })
                  .has_value());
  const int status = End(second, SIGTERM);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(AgentProgramTest, ASecondAgentOnOneLedgerIsRefused) {
  Start();
  ASSERT_NE(coordinator_.AwaitSession(), nullptr);
  const RunResult second = RunWith({"--config", folder_ + "/agent.conf"});
  EXPECT_EQ(second.exit_status, 69);
  EXPECT_NE(second.error.find("another agent uses the ledger"), std::string::npos);
}

TEST_F(AgentProgramTest, StaysSmall) {
  const pid_t pid = Start();
  auto session = coordinator_.AwaitSession();
  ASSERT_NE(session, nullptr);
  session->Welcome();
  ASSERT_TRUE(session->Await([](const v1::AgentMessage& heard) { return heard.has_heartbeat(); })
                  .has_value());
  const std::string status = ReadFile("/proc/" + std::to_string(pid) + "/status", 1 << 16).value();
  const size_t at = status.find("VmRSS:");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stol(status.substr(at + 6)), 40 * 1024);
}

TEST_F(AgentProgramTest, WrongConfigurationNamesFileLineFoundAndWanted) {
  const struct {
    std::string config;
    std::string resource;
    std::vector<std::string> words;
  } cases[] = {
      {Config() + "colour = red\n", Resource(), {"agent.conf:6", "colour"}},
      {Config() + "host = h2\n", Resource(), {"agent.conf:6", "host"}},
      {"host = h1\n", Resource(), {"agent.conf", "coordinator"}},
      {Config(), Resource() + "nonsense = 1\n", {"mgc.conf:", "nonsense"}},
      {Config(), "resource = mgc\n", {"mgc.conf"}},
      {std::string(Config()).replace(Config().find("h1"), 2, "h9"),
       Resource(),
       {"mgc.conf", "h1", "h9"}},
      {"host = h1\ncoordinator = nowhere\n" + Config().substr(Config().find("ledger")),
       Resource(),
       {"agent.conf", "coordinator", "nowhere"}},
      {Config() + "log_level = loud\n", Resource(), {"log_level", "loud"}},
  };
  for (const auto& one : cases) {
    Write("agent.conf", one.config);
    Write("mgc.conf", one.resource);
    const RunResult result = RunWith({"--config", folder_ + "/agent.conf"});
    EXPECT_EQ(result.exit_status, 65) << result.error;
    for (const std::string& word : one.words) {
      EXPECT_NE(result.error.find(word), std::string::npos) << word << " not in: " << result.error;
    }
  }
  EXPECT_FALSE(Exists(folder_ + "/ledger.db").value());
}

TEST_F(AgentProgramTest, TellsHowItIsUsed) {
  EXPECT_EQ(RunWith({"--help"}).exit_status, 0);
  EXPECT_NE(RunWith({"--version"}).output.find("baton-agent "), std::string::npos);
  EXPECT_EQ(RunWith({}).exit_status, 64);
  EXPECT_EQ(RunWith({"--config"}).exit_status, 64);
}

}  // namespace
}  // namespace baton
