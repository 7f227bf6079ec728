// baton-guard: what must be right on a host even when its agent is dead. One thread, no network, no
// ledger.
#include <cstdio>
#include <memory>
#include <signal.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "agent/guard/archive_commands.h"
#include "agent/guard/exit_codes.h"
#include "agent/guard/fence_file.h"
#include "agent/guard/gate.h"
#include "agent/guard/hand_fence.h"
#include "agent/guard/resource.h"
#include "agent/guard/supervisor.h"

namespace baton {
namespace {

constexpr absl::Duration kGateLockTimeout = absl::Seconds(30);
constexpr absl::Duration kProofMargin = absl::Seconds(5);

constexpr char kUsage[] =
    R"(baton-guard exec RESOURCE                     start the server if its fence allows it
baton-guard run RESOURCE                      look after the server (a supervisor)
baton-guard fence RESOURCE EPOCH [--immediate] [--timeout=30s]
                                              fence it by hand; EPOCH like 1.17
baton-guard archive-push RESOURCE PATH        ship a log file
baton-guard archive-fetch RESOURCE NAME PATH  restore a log file
baton-guard archive-copy RESOURCE [-]         copy all pending log files (-: lineages from input)
baton-guard archive-check RESOURCE            look at shares and copy destination
baton-guard archive-list RESOURCE FROM        what is there of the lineages from input
baton-guard archive-salvage RESOURCE DIR FROM copy log from a dead instance's data directory
baton-guard archive-prepare RESOURCE          give an empty share its marker

RESOURCE: a file if it holds a '/', else /etc/baton/resources.d/RESOURCE.conf
Exit codes: 0 done; 1 failed; 64 wrong usage; 65 wrong resource file; 69 another supervisor runs;
73 NOT fenced, the fence file could not be written; 75 fenced, but something still runs; 78 refused by
the fence (fence: NOT fenced, EPOCH is too low). archive-fetch: 0 or 1, nothing else.
The other archive verbs: 100 + the code of the error (106 other bytes there, 108 share full,
109 refused by the fence, 114 share not there).
)";

int Complain(const absl::Status& status, int code) {
  std::fprintf(stderr, "baton-guard: %s\n", std::string(status.message()).c_str());
  return code;
}

int Exec(const ResourceConfig& config) {
  const absl::StatusOr<GatePass> pass = PassGate(config, kGateLockTimeout);
  if (!pass.ok()) return Complain(pass.status(), kExitRefused);
  if (pass->decision.verdict != GateVerdict::kRefuse) {
    std::fprintf(stderr, "baton-guard: starts %s %s: %s\n", config.resource.value().c_str(),
                 std::string(ToString(pass->decision.verdict)).c_str(),
                 pass->decision.reason.c_str());
  }
  const absl::Status failed = ExecServer(config, *pass);
  return Complain(failed, absl::IsFailedPrecondition(failed) ? kExitRefused : kExitFailed);
}

int RunSupervisor(const ResourceConfig& config) {
  absl::StatusOr<std::unique_ptr<Supervisor>> supervisor = Supervisor::Make(config);
  if (absl::IsAlreadyExists(supervisor.status())) {
    return Complain(supervisor.status(), kExitAnotherRuns);
  }
  if (!supervisor.ok()) return Complain(supervisor.status(), kExitFailed);
  const absl::Status ended = (*supervisor)->Run();
  return ended.ok() ? 0 : Complain(ended, kExitFailed);
}

int FenceIt(const ResourceConfig& config, const std::vector<std::string>& arguments) {
  HandFence order;
  const absl::StatusOr<Epoch> epoch = ParseEpoch(arguments[0]);
  if (!epoch.ok()) return Complain(epoch.status(), kExitUsage);
  order.epoch = *epoch;
  order.timeout = config.stop_timeout + kProofMargin;
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--immediate") {
      order.immediate = true;
    } else if (arguments[i].rfind("--timeout=", 0) != 0 ||
               !absl::ParseDuration(arguments[i].substr(10), &order.timeout) ||
               order.timeout < absl::ZeroDuration()) {
      return Complain(
          absl::InvalidArgumentError(absl::StrCat("fence: found \"", arguments[i],
                                                  "\", wanted --immediate, --timeout=30s")),
          kExitUsage);
    }
  }
  order.say = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  const HandFenced fenced = FenceByHand(config, order);
  std::fflush(stdout);
  if (fenced.stands && fenced.proof.ok()) return 0;
  if (fenced.stands) return Complain(fenced.proof, kExitNotProven);
  const bool refused = absl::IsFailedPrecondition(fenced.proof);
  return Complain(fenced.proof, refused ? kExitRefused : kExitNotFenced);
}

int Main(const std::vector<std::string>& words) {
  const std::string verb = words.empty() ? "" : words[0];
  if (verb == "archive-fetch") return ArchiveFetchCommand(words);
  const size_t count = words.size();
  const bool known =
      (verb == "exec" && count == 2) || (verb == "run" && count == 2) ||
      (verb == "fence" && count >= 3) || (verb == "archive-push" && count == 3) ||
      (verb == "archive-copy" && (count == 2 || (count == 3 && words[2] == "-"))) ||
      (verb == "archive-check" && count == 2) || (verb == "archive-list" && count == 3) ||
      (verb == "archive-salvage" && count == 4) || (verb == "archive-prepare" && count == 2);
  if (!known) {
    std::fputs(kUsage, verb == "--help" || verb == "help" ? stdout : stderr);
    return verb == "--help" || verb == "help" ? 0 : kExitUsage;
  }
  const absl::StatusOr<Resource> resource = LoadResource(words[1]);
  if (!resource.ok()) return Complain(resource.status(), kExitBadResource);
  const ResourceConfig& config = resource->config;
  if (verb == "exec") return Exec(config);
  if (verb == "run") return RunSupervisor(config);
  if (verb == "fence") return FenceIt(config, {words.begin() + 2, words.end()});
  if (verb == "archive-push") return ArchivePushCommand(config, words[2]);
  if (verb == "archive-copy") return ArchiveCopyCommand(config, count == 3);
  if (verb == "archive-list") return ArchiveListCommand(config, words[2]);
  if (verb == "archive-salvage") return ArchiveSalvageCommand(config, words[2], words[3]);
  if (verb == "archive-prepare") return ArchivePrepareCommand(config);
  return ArchiveCheckCommand(config);
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main({argv + 1, argv + argc}); }
