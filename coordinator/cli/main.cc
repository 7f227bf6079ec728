// `baton`: the operator's command line.
#include <csignal>
#include <cstdlib>
#include <pthread.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "absl/synchronization/mutex.h"

#include "common/rpc/endpoint.h"
#include "common/runtime/random.h"
#include "common/runtime/system_clock.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/command_line.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/completion.h"
#include "coordinator/cli/posix_console.h"

namespace baton {
namespace {

// Ctrl-C and SIGTERM go to the command if it wants them, and else end the process as they always
// do. The second one always does.
void ServeSignals(const sigset_t& signals, Interrupt& interrupt) {
  for (bool first = true;; first = false) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) return;
    if (first && interrupt.Trigger()) continue;
    std::signal(signal, SIG_DFL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    kill(getpid(), signal);
  }
}

ExitCode Complete(const Options& options, Console& console) {
  const absl::StatusOr<std::string> script = CompletionScript(options.shell, CommandTree());
  if (!script.ok()) {
    console.Note("baton: " + std::string(script.status().message()) + "\n");
    return ExitCode::kUsage;
  }
  console.Print(*script);
  return ExitCode::kDone;
}

ExitCode Main(const std::vector<std::string>& arguments) {
  PosixConsole console;
  const char* coordinator = std::getenv("BATON_COORDINATOR");
  ParsedLine line = ParseCommandLine(arguments, coordinator == nullptr ? "" : coordinator);
  if (!line.options.has_value()) {
    line.code == ExitCode::kDone ? console.Print(line.text) : console.Note(line.text);
    return line.code;
  }
  Options options = *std::move(line.options);
  if (options.verb == Verb::kCompletion) return Complete(options, console);

  // Outlives the thread that waits for signals until the process ends.
  static Interrupt interrupt;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread([signals] { ServeSignals(signals, interrupt); }).detach();

  options.requested_by = WhoAsks();
  options.request_id = RandomId();
  const SystemClock clock;
  const Terminal terminal{console, interrupt, clock};
  std::vector<Client::Endpoint> endpoints;
  for (const std::string& address : options.coordinators) {
    endpoints.push_back({address, DialCoordinator(address)});
  }
  Client client(std::move(endpoints), terminal, options.timeout, RandomSeed());
  return RunVerb(options, client, terminal);
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) {
  // Debian's Abseil checks lock order in every gRPC process otherwise, at a cost.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return static_cast<int>(baton::Main(std::vector<std::string>(argv + 1, argv + argc)));
}
