// baton-coordinator: holds topology, observations and the plans, decides and sequences.
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

#include "common/base/mutex.h"
#include "common/base/status_macros.h"
#include "common/rpc/endpoint.h"
#include "common/runtime/daemon.h"
#include "common/runtime/event_loop.h"
#include "common/runtime/logging.h"
#include "common/runtime/program_config.h"
#include "common/runtime/system_clock.h"
#include "coordinator/coordinator.h"

namespace baton {
namespace {

constexpr char kUsage[] =
    "Usage: baton-coordinator --config FILE\n"
    "\n"
    "Holds the topology, hears the agents and drives plans. Runs in the foreground, logs to\n"
    "standard error, ends on SIGTERM or SIGINT; chat that is served goes on without it.\n"
    "\n"
    "  --config FILE  key = value lines; deploy/config/coordinator.conf is a commented sample\n"
    "  --version      prints the version\n"
    "  --help         prints this\n"
    "\n"
    "Exit status: 0 ended as asked; 1 the journal could not be written; 64 wrong command line; 65\n"
    "the configuration or the journal is wrong; 69 the journal or the port is in use.\n";
constexpr char kProgram[] = "baton-coordinator";

constexpr absl::Duration kShutdownMax = absl::Seconds(2);

struct Config {
  std::string listen = "127.0.0.1:7400";
  std::string journal;
  absl::Duration report_interval = absl::Seconds(1);
  absl::Duration step_timeout = absl::Seconds(30);
  std::string log_level = "info";
};

absl::StatusOr<Config> ReadConfig(const std::string& file) {
  Config config;
  ProgramConfig keys("deploy/config/coordinator.conf");
  keys.Text("listen", &config.listen);
  keys.Path("journal", &config.journal, true);
  keys.Duration("report_interval", &config.report_interval);
  keys.Duration("step_timeout", &config.step_timeout);
  keys.Text("log_level", &config.log_level);
  BATON_RETURN_IF_ERROR(keys.Read(file));
  return config;
}

// Every agent is a connection.
void RaiseOpenFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    spdlog::warn("the limit of open files stays at its soft value");
  }
}

// Runs `f` on the loop and waits for it.
void OnLoopAndWait(EventLoop& loop, const std::function<void()>& f) {
  Mutex mutex;
  CondVar wake;
  bool ran = false;
  loop.Post([&] {
    f();
    MutexLock lock(&mutex);
    ran = true;
    wake.SignalAll();
  });
  MutexLock lock(&mutex);
  while (!ran) wake.Wait(&mutex);
}

int Serve(const Config& config, const sigset_t& signals) {
  grpc::ServerBuilder builder;
  ApplyServerDefaults(builder);
  const absl::Status listener = AddListener(builder, config.listen, nullptr);
  if (!listener.ok()) return ExitWith(kExitBadData, kProgram, listener);

  const SystemClock clock;
  LoopThread thread(clock);
  EventLoop& loop = thread.loop();
  absl::Status fatal;
  absl::StatusOr<std::unique_ptr<Coordinator>> opened =
      Coordinator::Open({.journal = config.journal,
                         .report_interval = config.report_interval,
                         .policy = {.step_timeout = config.step_timeout}},
                        clock, loop, [&fatal](const absl::Status& status) {
                          fatal = status;
                          kill(getpid(), SIGTERM);
                        });
  if (!opened.ok()) {
    const bool in_use = absl::IsFailedPrecondition(opened.status());
    return ExitWith(in_use ? kExitInUse : kExitBadData, kProgram, opened.status());
  }
  std::unique_ptr<Coordinator> coordinator = *std::move(opened);

  coordinator->Register(builder);
  OnLoopAndWait(loop, [&] { coordinator->Start(); });
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    OnLoopAndWait(loop, [&] { coordinator.reset(); });
    return ExitWith(kExitInUse, kProgram,
                    absl::UnavailableError(absl::StrCat(
                        "listen: ", config.listen,
                        " cannot be bound; is the address this host's, and is another program "
                        "listening there?")));
  }
  spdlog::info("listening on {}, {} records in journal {}", config.listen,
               coordinator->state().last_sequence, config.journal);

  int received = 0;
  sigwait(&signals, &received);
  spdlog::info("ending");
  server->Shutdown(absl::ToChronoTime(clock.Now() + kShutdownMax));
  OnLoopAndWait(loop, [&] { coordinator.reset(); });
  return fatal.ok() ? kExitOk : ExitWith(kExitFailed, kProgram, fatal);
}

int Run(int argc, char** argv) {
  const std::variant<std::string, int> line = ReadCommandLine(kProgram, kUsage, argc, argv);
  if (const int* code = std::get_if<int>(&line)) return *code;
  const sigset_t signals = BlockEndSignals();
  const absl::StatusOr<Config> config = ReadConfig(std::get<std::string>(line));
  if (!config.ok()) return ExitWith(kExitBadData, kProgram, config.status());
  const absl::Status logging = StartLogging(kProgram, config->log_level);
  if (!logging.ok()) return ExitWith(kExitBadData, kProgram, logging);
  RaiseOpenFileLimit();
  return Serve(*config, signals);
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return baton::Run(argc, argv);
}
