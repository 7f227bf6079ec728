// Quarantine and RemoveQuarantine (protocol.md "Rejoin never destroys orphans").
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <system_error>

#include "absl/strings/str_cat.h"

#include "agent/database/data_directory.h"
#include "agent/database/log_end.h"
#include "agent/database/postgresql_actions.h"
#include "agent/database/quarantine.h"
#include "agent/database/wal_files.h"
#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kProofTimeout = absl::Seconds(2);
constexpr absl::Duration kDumpTimeout = absl::Minutes(2);
constexpr size_t kNamesMax = 1 << 16;

LiveFunction LiveOf(ActionContext* context) {
  return [context] { return context->Live(); };
}

absl::Status RefuseUnfenced(ActionContext* context, const FenceRecord& record) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  if (record.phase == FencePhase::kOpen || record.phase == FencePhase::kUnconfirmed) {
    return Refusal("NOT_FENCED",
                   absl::StrCat("the fence of ", name, " is ", std::string(ToString(record.phase)),
                                ", wanted closing or closed: its data may be in use"));
  }
  const absl::Status proof =
      instance.fences().ProveNothingRuns(std::min(kProofTimeout, context->Left()));
  if (proof.ok()) return proof;
  return Refusal("STILL_RUNS", absl::StrCat(name, " is not proven stopped: ", proof.message()));
}

// Parts of it that lie elsewhere would not move with it.
absl::Status RefuseScattered(const std::string& data) {
  struct stat info = {};
  const bool linked = lstat((data + "/pg_wal").c_str(), &info) == 0 && S_ISLNK(info.st_mode);
  const auto spaces = ListDirectory(data + "/pg_tblspc", kNamesMax);
  if (!linked && (!spaces.ok() || spaces->empty())) return absl::OkStatus();
  return Refusal("SCATTERED", absl::StrCat(data, ": ", linked ? "pg_wal" : "a tablespace",
                                           " is a link to another place; move it aside by hand"));
}

struct Beyond {
  uint64_t bytes = 0;
  bool sure = false;  // that `bytes` is all: the fork left the very timeline that it wrote
};

// A fork that left another timeline says nothing of what this one holds alone, wherever it ends.
Beyond MeasureBeyond(const LogPosition& fork, const LogPosition& end) {
  Beyond beyond;
  beyond.bytes = end.lsn > fork.lsn ? end.lsn - fork.lsn : 0;
  beyond.sure = end.timeline == 1 && fork.timeline == 2;
  return beyond;
}

bool MayBeRemoved(const Quarantine& action, const LogPosition& end) {
  const Beyond beyond = MeasureBeyond(action.fork, end);
  if (beyond.sure && beyond.bytes == 0) return true;
  const bool follows = end.timeline + 1 == action.fork.timeline;
  return follows && action.discard_bytes.has_value() && beyond.bytes <= *action.discard_bytes;
}

// The first log beyond the fork that the instance still has: what it shipped, a checkpoint may have
// removed, and pg_waldump waits seconds for a file that is not there.
LogPosition FirstHeldBeyond(const std::string& data, const LogPosition& fork,
                            const LogPosition& end, uint64_t segment_bytes) {
  const WalFolder wal(data, segment_bytes);
  LogPosition from = fork;
  while (from.lsn < end.lsn &&
         !wal.Holds({end.timeline, from.lsn / segment_bytes}).value_or(false)) {
    from.lsn = (from.lsn / segment_bytes + 1) * segment_bytes;
  }
  return from;
}

absl::StatusOr<Manifest> Describe(ActionContext* context, const Quarantine& action,
                                  const ControlData& control, const LogPosition& end) {
  PostgresqlInstance& instance = context->instance();
  const std::string& data = instance.config().data_directory;
  Manifest manifest;
  manifest.system_id = control.system_id;
  manifest.entry.name = action.name;
  manifest.entry.fork = action.fork;
  manifest.entry.end = end;
  manifest.entry.moved = instance.clock().Now();
  BATON_ASSIGN_OR_RETURN(manifest.entry.disk_bytes, TreeBytes(data, LiveOf(context)));
  if (action.fork.none()) return manifest;
  if (end.lsn <= action.fork.lsn) {
    if (MeasureBeyond(action.fork, end).sure) manifest.entry.commits = 0;
    return manifest;
  }
  const LogPosition from = FirstHeldBeyond(data, action.fork, end, control.segment_bytes);
  const absl::StatusOr<LogBeyond> beyond = CountBeyond(instance.bin_directory(), data, from, end,
                                                       std::min(kDumpTimeout, context->Left()));
  if (beyond.ok()) {
    if (from == action.fork) manifest.entry.commits = beyond->commits;
    manifest.entry.first_commit = beyond->first_commit;
    manifest.entry.last_commit = beyond->last_commit;
  }
  return manifest;
}

absl::Status FinishClearing(ActionContext* context) {
  const std::string& data = context->instance().config().data_directory;
  BATON_RETURN_IF_ERROR(ClearData(data, LiveOf(context)));
  return RemoveTree(IncompleteMarker(data), LiveOf(context));
}

// A folder in the other one would go where that goes.
absl::Status RefuseNested(const std::string& data, const std::string& folder) {
  const auto resolved = [](const std::string& path) {
    std::error_code error;
    const std::filesystem::path found = std::filesystem::weakly_canonical(path, error);
    return (error ? path : found.string()) + "/";
  };
  const std::string inner = resolved(data);
  const std::string outer = resolved(folder);
  if (inner.rfind(outer, 0) != 0 && outer.rfind(inner, 0) != 0) return absl::OkStatus();
  return Refusal("NESTED", absl::StrCat("found data directory ", data, " and quarantine ", folder,
                                        " one in the other; give quarantine_directory another "
                                        "place in the resource file"));
}

// By renaming, or, to another filesystem, by a copy that is whole before the original goes.
absl::Status MoveAside(ActionContext* context, const Manifest& manifest) {
  const std::string& data = context->instance().config().data_directory;
  const std::string folder =
      absl::StrCat(QuarantineFolder(context->instance().config()), "/", manifest.entry.name);
  // What is reached by a link is no more than a link to rename; the place that it names stays.
  struct stat info = {};
  const bool linked = lstat(data.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
  if (!linked && rename(data.c_str(), (folder + "/data").c_str()) == 0) {
    BATON_RETURN_IF_ERROR(SyncDirectory(folder));
    return SyncDirectory(DirectoryOf(data));
  }
  if (!linked && errno != EXDEV && errno != EBUSY) {
    return ErrnoStatus(errno, "cannot move aside", data);
  }
  // Of an earlier try, whose room this one needs.
  BATON_RETURN_IF_ERROR(RemoveTree(folder + "/data.partial", LiveOf(context)));
  BATON_RETURN_IF_ERROR(
      CheckFreeBytes(folder, manifest.entry.disk_bytes + kSpareBytes, "a quarantine"));
  context->Report("copying to the quarantine", 0, manifest.entry.disk_bytes);
  const absl::Status copied = CopyTree(data, folder + "/data.partial", LiveOf(context));
  if (!copied.ok()) {
    // The ledger may need the room.
    RemoveTree(folder + "/data.partial", [] { return absl::OkStatus(); }).IgnoreError();
    return copied;
  }
  if (rename((folder + "/data.partial").c_str(), (folder + "/data").c_str()) != 0) {
    return ErrnoStatus(errno, "cannot name", folder + "/data");
  }
  BATON_RETURN_IF_ERROR(SyncDirectory(folder));
  return FinishClearing(context);
}

// The right went with the data that it was given to.
absl::Status ForgetRight(ActionContext* context, FenceRecord record) {
  record.phase = FencePhase::kClosed;
  record.fence_epoch = context->command().epoch;
  record.write.reset();
  record.fetch.clear();
  return EnsureFence(context, record);
}

Outcome Done(const std::string& system_id, const LogPosition& end, uint64_t bytes,
             std::string message) {
  Outcome outcome = OkOutcome();
  outcome.system_id = system_id;
  outcome.position = end;
  outcome.bytes = bytes;
  outcome.message = std::move(message);
  return outcome;
}

std::string Kept(const Manifest& manifest) {
  const std::optional<uint64_t>& commits = manifest.entry.commits;
  if (!commits.has_value()) {
    return absl::StrCat("kept as ", manifest.entry.name,
                        ": how many commits lie beyond the fork is not known");
  }
  return absl::StrCat("kept as ", manifest.entry.name, ": ", *commits, " commits beyond the fork");
}

absl::StatusOr<Outcome> KeepOrRemove(ActionContext* context, const Quarantine& action) {
  PostgresqlInstance& instance = context->instance();
  const std::string& data = instance.config().data_directory;
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  BATON_RETURN_IF_ERROR(
      RefuseOtherSystem(instance.config().resource.value(), control.system_id, action.system_id));
  BATON_RETURN_IF_ERROR(RefuseScattered(data));
  const std::string folder = absl::StrCat(QuarantineFolder(instance.config()), "/", action.name);
  BATON_RETURN_IF_ERROR(RefuseNested(data, folder));
  const absl::StatusOr<LogPosition> found = FindLogEnd(data, control);
  if (!found.ok() && !absl::IsNotFound(found.status())) {
    return absl::Status(found.status().code(),
                        absl::StrCat(found.status().message(), ": nobody can tell what log ", data,
                                     " holds alone; mend that, or move it aside by hand"));
  }
  BATON_ASSIGN_OR_RETURN(const LogPosition end, found);
  const uint64_t bytes = MeasureBeyond(action.fork, end).bytes;
  if (MayBeRemoved(action, end)) {
    BATON_RETURN_IF_ERROR(FinishClearing(context));
    return Done(control.system_id, end, bytes,
                absl::StrCat("removed; its log went ", bytes, " bytes beyond the fork"));
  }
  const absl::StatusOr<Manifest> before = ReadManifest(instance.config(), action.name);
  const std::string kept = folder + "/data";
  BATON_ASSIGN_OR_RETURN(const bool taken, Exists(kept));
  if (taken) {
    // Copied by an earlier try that did not come to clear the original.
    if (before.ok() && before->system_id == control.system_id && before->entry.end == end) {
      BATON_RETURN_IF_ERROR(FinishClearing(context));
      return Done(control.system_id, end, bytes, Kept(*before));
    }
    return Refusal("NAME_TAKEN", absl::StrCat(kept,
                                              " is there already, of other data; choose "
                                              "another name or remove it"));
  }
  BATON_ASSIGN_OR_RETURN(const Manifest manifest, Describe(context, action, control, end));
  BATON_RETURN_IF_ERROR(WriteManifest(instance.config(), manifest));
  context->Did("its manifest written");
  BATON_RETURN_IF_ERROR(MoveAside(context, manifest));
  return Done(control.system_id, end, bytes, Kept(manifest));
}

}  // namespace

absl::StatusOr<Outcome> Act(ActionContext* context, const Quarantine& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  if (const absl::Status name = CheckQuarantineName(action.name); !name.ok()) {
    return Refusal("BAD_NAME", std::string(name.message()));
  }
  BATON_RETURN_IF_ERROR(RefuseUnfenced(context, record));
  // A standby that is down because it crashed would be started again while its data goes.
  BATON_RETURN_IF_ERROR(StopCleanly(context));
  BATON_ASSIGN_OR_RETURN(const bool empty, HoldsNoData(instance.config().data_directory));
  Outcome outcome = OkOutcome();
  if (empty) {
    BATON_RETURN_IF_ERROR(FinishClearing(context));
    const absl::StatusOr<Manifest> kept = ReadManifest(instance.config(), action.name);
    const std::string moved =
        absl::StrCat(QuarantineFolder(instance.config()), "/", action.name, "/data");
    outcome.message = "holds no data";
    if (kept.ok() && Exists(moved).value_or(false)) {
      outcome = Done(kept->system_id, kept->entry.end,
                     MeasureBeyond(kept->entry.fork, kept->entry.end).bytes, Kept(*kept));
    }
  } else {
    BATON_ASSIGN_OR_RETURN(outcome, KeepOrRemove(context, action));
  }
  BATON_RETURN_IF_ERROR(ForgetRight(context, record));
  return outcome;
}

absl::StatusOr<Outcome> Act(ActionContext* context, const RemoveQuarantine& action) {
  const ResourceConfig& config = context->instance().config();
  if (const absl::Status name = CheckQuarantineName(action.name); !name.ok()) {
    return Refusal("BAD_NAME", std::string(name.message()));
  }
  const std::string folder = absl::StrCat(QuarantineFolder(config), "/", action.name);
  const std::string leaving = absl::StrCat(QuarantineFolder(config), "/.", action.name, ".leaving");
  BATON_RETURN_IF_ERROR(RemoveTree(leaving, LiveOf(context)));
  BATON_ASSIGN_OR_RETURN(const bool there, Exists(folder));
  Outcome outcome = OkOutcome();
  outcome.message = absl::StrCat(action.name, there ? " is removed" : " is not there");
  if (!there) return outcome;
  // The folder may hold other things than what was kept aside, data in use among them.
  if (const absl::StatusOr<Manifest> kept = ReadManifest(config, action.name); !kept.ok()) {
    return Refusal("NOT_IN_QUARANTINE",
                   absl::StrCat(folder, ": found no manifest of a quarantine in it (",
                                kept.status().message(), "); look what it is, remove it by hand"));
  }
  BATON_RETURN_IF_ERROR(RefuseNested(config.data_directory, folder));
  if (rename(folder.c_str(), leaving.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot rename", folder);
  }
  context->Did("taken from the list");
  BATON_RETURN_IF_ERROR(RemoveTree(leaving, LiveOf(context)));
  return outcome;
}

}  // namespace baton::postgresql
