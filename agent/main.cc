// baton-agent: reports what one host's databases and chat servers do, and carries out what the
// coordinator commands.
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "spdlog/spdlog.h"

#include "agent/agent_config.h"
#include "agent/agent_host.h"
#include "common/runtime/daemon.h"
#include "common/runtime/event_loop.h"
#include "common/runtime/logging.h"
#include "common/runtime/system_clock.h"

namespace baton::agent {
namespace {

constexpr char kProgram[] = "baton-agent";
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
  const int code = absl::IsFailedPrecondition(status) ? kExitInUse
                   : absl::IsInvalidArgument(status)  ? kExitBadData
                                                      : kExitFailed;
  return ExitWith(code, kProgram, status);
}

int RunAgent(const std::string& file) {
  absl::StatusOr<AgentConfig> config = ReadAgentConfig(file);
  if (!config.ok()) return ExitWith(kExitBadData, kProgram, config.status());
  const absl::Status logging = StartLogging(kProgram, config->log_level);
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
               config->host.value(), config->resources.size(),
               absl::StrJoin(config->coordinators, " or "));
  (*host)->Start();
  loop.Run();
  ender.join();
  host->reset();
  return kExitOk;
}

int Main(int argc, char** argv) {
  const std::variant<std::string, int> line = ReadCommandLine(kProgram, kHelp, argc, argv);
  if (const int* code = std::get_if<int>(&line)) return *code;
  return RunAgent(std::get<std::string>(line));
}

}  // namespace
}  // namespace baton::agent

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return baton::agent::Main(argc, argv);
}
