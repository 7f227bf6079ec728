#include "agent/guard/gate.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "agent/guard/fence_file.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {
namespace {

// PostgreSQL's control file begins with an 8-byte identifier and two 4-byte versions; the state of
// the cluster follows, in the machine's own byte order. Whatever cannot be read is for the server
// itself to complain of.
bool WasInRecovery(const ResourceConfig& config) {
  constexpr size_t kStateOffset = 16;
  constexpr size_t kControlBytesMax = 16384;
  constexpr int32_t kShutDownInRecovery = 2;
  constexpr int32_t kInArchiveRecovery = 5;
  if (config.engine_name != "postgresql") return false;
  const absl::StatusOr<std::string> control =
      ReadFile(config.data_directory + "/global/pg_control", kControlBytesMax);
  int32_t state = 0;
  if (!control.ok() || control->size() < kStateOffset + sizeof(state)) return false;
  std::memcpy(&state, control->data() + kStateOffset, sizeof(state));
  return state == kShutDownInRecovery || state == kInArchiveRecovery;
}

absl::Status LookAtData(const ResourceConfig& config, GateFacts* facts) {
  facts->is_database = config.kind == ResourceKind::kDatabase;
  if (!facts->is_database) return absl::OkStatus();
  struct stat folder = {};
  const bool present = stat(config.data_directory.c_str(), &folder) == 0 && S_ISDIR(folder.st_mode);
  BATON_ASSIGN_OR_RETURN(const bool marked, Exists(IncompleteMarker(config)));
  BATON_ASSIGN_OR_RETURN(facts->standby_signal, Exists(config.data_directory + "/standby.signal"));
  BATON_ASSIGN_OR_RETURN(facts->recovery_signal,
                         Exists(config.data_directory + "/recovery.signal"));
  facts->was_in_recovery = WasInRecovery(config);
  facts->data_directory_whole = present && !marked;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GatePass> PassGate(const ResourceConfig& config, absl::Duration lock_timeout) {
  BATON_ASSIGN_OR_RETURN(FileLock lock,
                         FileLock::Take(FenceLockFile(config), LockMode::kShared, lock_timeout));
  GateFacts facts;
  absl::StatusOr<FenceRecord> fence = ReadFenceFile(config);
  if (fence.ok()) facts.fence = *std::move(fence);
  facts.boot = CurrentBoot(config);
  BATON_RETURN_IF_ERROR(LookAtData(config, &facts));
  GateDecision decision = JudgeGate(facts);
  if (!facts.fence.has_value()) {
    absl::StrAppend(&decision.reason, " (", fence.status().message(), ")");
  }
  return GatePass{std::move(lock), std::move(facts.fence), std::move(decision)};
}

absl::Status ExecServer(const ResourceConfig& config, const GatePass& pass) {
  if (pass.decision.verdict == GateVerdict::kRefuse) {
    return absl::FailedPreconditionError(pass.decision.reason);
  }
  BATON_RETURN_IF_ERROR(pass.lock.KeepAcrossExec());
  std::vector<char*> argv;
  for (const std::string& word : config.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  return ErrnoStatus(errno, "cannot start", config.command[0]);
}

}  // namespace baton
