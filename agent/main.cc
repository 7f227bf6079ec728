// baton-agent: reports what one host's databases and chat servers do, and carries out what the
// coordinator commands.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "spdlog/spdlog.h"

#include "agent/agent_config.h"
#include "agent/agent_host.h"
#include "common/runtime/event_loop.h"
#include "common/runtime/logging.h"
#include "common/runtime/system_clock.h"

namespace baton::agent {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 64;
constexpr int kExitBadConfig = 65;
constexpr int kExitAnotherRuns = 69;

constexpr char kHelp[] =
    "Usage: baton-agent --config FILE\n"
    "       baton-agent --help | --version\n"
    "\n"
    "Looks after the databases and chat servers of this host for baton-coordinator, to which it\n"
    "dials out. Ending it (SIGTERM) stops nothing of what it looks after. FILE holds\n"
    "\"key = value\" lines; deploy/config/agent.conf is the commented sample.\n"
    "\n"
    "Exit status: 0 ended by SIGTERM or SIGINT; 1 failed; 64 wrong usage; 65 FILE, or a resource\n"
    "file that it names, is wrong; 69 another agent uses the ledger.\n";

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "baton-agent: %s\n", std::string(status.message()).c_str());
  if (status.code() == absl::StatusCode::kFailedPrecondition) return kExitAnotherRuns;
  return status.code() == absl::StatusCode::kInvalidArgument ? kExitBadConfig : kExitFailed;
}

// SIGTERM and SIGINT wait for whoever asks; threads made after this inherit it.
sigset_t BlockEndSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int RunAgent(const std::string& file) {
  absl::StatusOr<AgentConfig> config = ReadAgentConfig(file);
  if (!config.ok()) {
    std::fprintf(stderr, "baton-agent: %s\n", std::string(config.status().message()).c_str());
    return kExitBadConfig;
  }
  const absl::Status logging = StartLogging("baton-agent", config->log_level);
  if (!logging.ok()) {
    return Fail(
        absl::InvalidArgumentError(file + ": \"log_level\": " + std::string(logging.message())));
  }
  const sigset_t signals = BlockEndSignals();
  SystemClock clock;
  EventLoop loop(clock);
  absl::StatusOr<std::unique_ptr<AgentHost>> host = AgentHost::Create(*config, &loop, &clock);
  if (!host.ok()) return Fail(host.status());
  std::thread ender([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    spdlog::info("ending on signal {}; what it looks after goes on", signal);
    loop.Stop();
  });
  spdlog::info("agent {} of host {} looks after {} resources, coordinator {}", BATON_VERSION,
               config->host.value(), config->resources.size(), config->coordinators.front());
  (*host)->Start();
  loop.Run();
  ender.join();
  host->reset();
  return kExitOk;
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--help") {
    std::fputs(kHelp, stdout);
    return kExitOk;
  }
  if (arguments.size() == 1 && arguments[0] == "--version") {
    std::puts("baton-agent " BATON_VERSION);
    return kExitOk;
  }
  if (arguments.size() == 2 && arguments[0] == "--config") return RunAgent(arguments[1]);
  std::fputs(kHelp, stderr);
  return kExitUsage;
}

}  // namespace
}  // namespace baton::agent

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return baton::agent::Main(std::vector<std::string>(argv + 1, argv + argc));
}
