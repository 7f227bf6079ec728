#include "agent/guard/hand_fence.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "agent/guard/fence_file.h"
#include "agent/guard/leftovers.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/os/lock.h"
#include "common/os/unix_socket.h"
#include "common/protocol/supervisor_control.h"

namespace baton {
namespace {

constexpr absl::Duration kAskTimeout = absl::Seconds(2);

absl::StatusOr<SupervisorReply> Ask(const ResourceConfig& config, SupervisorVerb verb,
                                    absl::Duration timeout) {
  BATON_ASSIGN_OR_RETURN(
      const std::string text,
      AskUnix(SupervisorSocket(config.run_directory, config.resource),
              std::string(ToString(verb)) + "\n", timeout, kSupervisorReplyBytesMax));
  return ParseSupervisorReply(text);
}

absl::StatusOr<FenceRecord> Stricter(const ResourceConfig& config, const Epoch& epoch,
                                     const absl::StatusOr<FenceRecord>& before) {
  FenceRecord record;
  if (!before.ok()) {
    record.pool = config.pool;
    record.resource = config.resource;
    record.phase = FencePhase::kClosed;  // what could not be read counted as closed
  } else {
    record = *before;
    if (epoch < record.fence_epoch) {
      return absl::FailedPreconditionError(
          absl::StrCat(config.fence_file, ": found fence epoch ", record.fence_epoch.ToString(),
                       ", ", epoch.ToString(), " is lower; fence with ",
                       record.fence_epoch.ToString(), " or a higher one"));
    }
    if (record.phase != FencePhase::kClosed) record.phase = FencePhase::kClosing;
  }
  record.fence_epoch = epoch;
  return record;
}

std::string JoinPids(const std::vector<LockHolder>& holders) {
  return absl::StrJoin(holders, " ", [](std::string* out, const LockHolder& holder) {
    absl::StrAppend(out, holder.pid);
  });
}

// How to end what still holds the lock, for people.
std::string HowToEnd(const ResourceConfig& config) {
  const pid_t server = ServerByPidFile(config).value_or(0);
  if (server != 0) {
    return absl::StrCat("end it with `kill -INT ", server,
                        "` (clean) or, if that doesn't help, `kill -QUIT ", server, "`");
  }
  if (config.kind == ResourceKind::kDatabase) {
    const Leftovers left = Leftovers::Find(config, 0);
    if (!left.empty()) {
      return absl::StrCat("its server is gone and left these behind: end them with `kill -QUIT ",
                          left.Pids(), "` or, if that doesn't help, `kill -KILL ", left.Pids(),
                          "`");
    }
  }
  const std::vector<LockHolder> holders = ProcessesWithFileOpen(FenceLockFile(config));
  if (holders.empty()) return "look as root for what holds it, and end that";
  return absl::StrCat("end it with `kill ", JoinPids(holders),
                      "` or, if that doesn't help, `kill -KILL ", JoinPids(holders), "`");
}

// Why nothing was written, and what to do about it.
absl::Status NotFenced(const ResourceConfig& config, const absl::Status& why) {
  std::string message = absl::StrCat("NOT fenced, nothing was changed: ", why.message());
  const std::vector<LockHolder> holders = ProcessesWithFileOpen(FenceEditLockFile(config));
  if (absl::IsUnavailable(why) && !holders.empty()) {
    absl::StrAppend(&message, "; end what holds it with `kill -KILL ", JoinPids(holders),
                    "` (what it was doing is done again by its successor), then fence again");
  } else if (!absl::IsFailedPrecondition(why)) {
    absl::StrAppend(&message, "; mend that and fence again, or turn this host's power off");
  }
  return absl::Status(why.code(), message);
}

absl::Status WriteFence(const ResourceConfig& config, const HandFence& order) {
  std::string phase;
  BATON_RETURN_IF_ERROR(UpdateFenceFile(
      config,
      [&](const absl::StatusOr<FenceRecord>& before) -> absl::StatusOr<FenceRecord> {
        BATON_ASSIGN_OR_RETURN(FenceRecord record, Stricter(config, order.epoch, before));
        phase = std::string(ToString(record.phase));
        return record;
      },
      nullptr));
  order.say(absl::StrCat(config.fence_file, " now says ", phase, " under epoch ",
                         order.epoch.ToString()));
  return absl::OkStatus();
}

absl::Status Prove(const ResourceConfig& config, const HandFence& order, bool supervised) {
  const absl::Status proof = ProveNothingRuns(config, order.timeout);
  if (proof.ok()) {
    order.say("nothing that the gate let start is alive: fenced");
    return absl::OkStatus();
  }
  const std::string told =
      absl::StrCat("the fence stands, but it is not proven: ", proof.message());
  if (!absl::IsDeadlineExceeded(proof)) return absl::Status(proof.code(), told);
  return absl::DeadlineExceededError(
      absl::StrCat(told, "; ", supervised ? "its supervisor was told to stop it; " : "",
                   HowToEnd(config), ", then fence again"));
}

// After the fence was written: OK when nothing that could write runs.
absl::Status AwaitStop(const ResourceConfig& config, const HandFence& order) {
  if (config.kind == ResourceKind::kDatabase) {
    const absl::Status placed = PlaceStandbySignal(config);
    order.say(placed.ok() ? "standby.signal is in place: a start past the gate is read-only"
                          : absl::StrCat("standby.signal could not be placed: ", placed.message()));
  }
  const absl::StatusOr<SupervisorReply> status = Ask(config, SupervisorVerb::kStatus, kAskTimeout);
  if (!status.ok()) {
    order.say(absl::StrCat("no supervisor answers (", status.status().message(),
                           "): nobody will stop what runs"));
    return Prove(config, order, false);
  }
  if (status->running && !status->could_write && config.kind == ResourceKind::kDatabase) {
    order.say(absl::StrCat("the server, pid ", status->pid,
                           ", has been a read-only standby since it started and is left running: "
                           "fenced"));
    return absl::OkStatus();
  }
  if (status->running) {
    order.say(absl::StrCat("its supervisor stops the server, pid ", status->pid));
    if (order.immediate) {
      const absl::StatusOr<SupervisorReply> stopped =
          Ask(config, SupervisorVerb::kStopImmediate, order.timeout);
      if (!stopped.ok()) order.say(std::string(stopped.status().message()));
    }
  }
  // Where its server is gone, the supervisor ends what that left behind.
  return Prove(config, order, status->running);
}

}  // namespace

HandFenced FenceByHand(const ResourceConfig& config, const HandFence& order) {
  if (const absl::Status written = WriteFence(config, order); !written.ok()) {
    return {false, NotFenced(config, written)};
  }
  return {true, AwaitStop(config, order)};
}

}  // namespace baton
