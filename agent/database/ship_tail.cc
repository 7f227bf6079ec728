// ShipTail (protocol.md "A fence has two durable phases").
#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kProofTimeout = absl::Seconds(1);
constexpr absl::Duration kPoll = absl::Milliseconds(5);
constexpr absl::Duration kLookTimeout = absl::Seconds(5);

struct Shipped {
  uint64_t files = 0;
  uint64_t bytes = 0;
};

absl::Status ShipFile(ActionContext* context, const WalFolder& wal, const std::string& name,
                      Shipped* shipped) {
  BATON_RETURN_IF_ERROR(context->Live());
  const std::string path = wal.Path(name);
  BATON_RETURN_IF_ERROR(context->instance().archive().Push(path));
  struct stat info = {};
  if (stat(path.c_str(), &info) == 0) shipped->bytes += static_cast<uint64_t>(info.st_size);
  ++shipped->files;
  return absl::OkStatus();
}

// What the archiver left. A mark without its file is the trace of a file that was removed by hand
// or by a crash between two renames; the archiver drops it, and so it is passed over here.
absl::Status ShipReady(ActionContext* context, const WalFolder& wal, Shipped* shipped) {
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> ready, wal.Ready());
  for (size_t i = 0; i < ready.size(); ++i) {
    BATON_ASSIGN_OR_RETURN(const bool there, Exists(wal.Path(ready[i])));
    if (!there) continue;
    BATON_RETURN_IF_ERROR(ShipFile(context, wal, ready[i], shipped));
    BATON_RETURN_IF_ERROR(wal.MarkDone(ready[i]));
    context->Report("shipping pending log files", i + 1, ready.size());
  }
  return absl::OkStatus();
}

// Segments that were filled or begun but never marked ready.
absl::Status ShipUnmarked(ActionContext* context, const WalFolder& wal, uint64_t segment_bytes,
                          uint32_t timeline, Shipped* shipped) {
  BATON_ASSIGN_OR_RETURN(const std::vector<WalSegment> segments, wal.NotDone(timeline));
  for (size_t i = 0; i < segments.size(); ++i) {
    const std::string name = WalSegmentName(segments[i], segment_bytes);
    BATON_RETURN_IF_ERROR(ShipFile(context, wal, name, shipped));
    context->Report("shipping the tail", i + 1, segments.size());
  }
  return absl::OkStatus();
}

// The segment in which the log ends, and whatever else is still unmarked.
absl::Status ShipToEnd(ActionContext* context, const WalFolder& wal, uint64_t segment_bytes,
                       const LogPosition& final, Shipped* shipped) {
  const WalSegment tail = WalSegmentOf(final, segment_bytes);
  const std::string tail_name = WalSegmentName(tail, segment_bytes);
  BATON_ASSIGN_OR_RETURN(const bool held, wal.Holds(tail));
  if (!wal.IsDone(tail_name) && !held) {
    return absl::DataLossError(
        absl::StrCat("the log ends at ", final.ToString(), ", but ", wal.Path(tail_name),
                     " is missing or holds other log; find that file first"));
  }
  BATON_RETURN_IF_ERROR(ShipUnmarked(context, wal, segment_bytes, final.timeline, shipped));
  // What was shipped as it stands is shipped again for nothing; a mark alone proves nothing.
  if (!held || !wal.IsDone(tail_name)) return absl::OkStatus();
  return ShipFile(context, wal, tail_name, shipped);
}

// Where the log ends, after letting the server recover if it did not stop cleanly. Before that all
// that is there is shipped, marked or not: a standby removes log that it has replayed, and a power
// cut may have taken the marks (they are not synced when they are made). Recovery changes none of
// it, so what is shipped again afterwards is the same.
absl::StatusOr<LogPosition> FindEnd(ActionContext* context, const FenceRecord& record,
                                    const ControlData& control, const WalFolder& wal,
                                    Shipped* shipped) {
  if (const auto known = FinalPosition(record, control); known.has_value()) return *known;
  BATON_RETURN_IF_ERROR(
      ShipUnmarked(context, wal, control.segment_bytes, control.timeline(), shipped));
  // No start of another kind is needed to keep it read-only, silent and alone: it passes the gate
  // as a standby (standby.signal is there, the phase is closing), so it holds the shared lock as
  // every start does and its manager reaps it; archive_mode=on ships nothing in recovery; and
  // restore_command asks the fence file, which serves who was given the right nothing but what was
  // sealed before that, so that only its own pg_wal is replayed beyond it.
  BATON_ASSIGN_OR_RETURN(ServerView view, StartAndWait(context));
  context->Did("recovered as a standby");
  BATON_ASSIGN_OR_RETURN(const LogPosition end, ReplayToEnd(context, std::move(view)));
  BATON_RETURN_IF_ERROR(StopCleanly(context));
  // The last record ends at `end`: it is applied once the replay position is greater than this.
  return LogPosition{end.timeline, end.lsn - 1};
}

absl::Status RefuseUnfenced(ActionContext* context, const FenceRecord& record) {
  const std::string& name = context->instance().config().resource.value();
  if (!record.write.has_value()) {
    return Refusal("NO_RIGHT", absl::StrCat(name,
                                            " names no lineage in its fence file: there is "
                                            "nothing that it could ship"));
  }
  if (record.phase == FencePhase::kOpen || record.phase == FencePhase::kUnconfirmed) {
    return Refusal("NOT_FENCED",
                   absl::StrCat("the fence of ", name, " is ", std::string(ToString(record.phase)),
                                ", wanted closing: Fence it first"));
  }
  if (record.phase == FencePhase::kClosed && !record.write->sealed.has_value()) {
    return Refusal("CLOSED_UNSHIPPED",
                   absl::StrCat("the fence of ", name,
                                " is closed, but its log was not shipped to "
                                "its end; what it holds alone must be salvaged by hand"));
  }
  return absl::OkStatus();
}

// Fence has stopped it. What may run is only what an earlier try started to find the end of the
// log.
absl::Status EnsureStopped(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  const absl::Status proof =
      instance.fences().ProveNothingRuns(std::min(kProofTimeout, context->Left()));
  if (proof.ok()) return proof;
  const absl::StatusOr<ServerView> view = instance.View(std::min(kLookTimeout, context->Left()));
  if (view.ok() && view->in_recovery) return StopCleanly(context);
  return Refusal("STILL_RUNS",
                 absl::StrCat("wanted the server stopped: ", proof.message(), "; repeat Fence"));
}

Outcome ShippedTo(const LogPosition& final, const std::string& system_id, const Shipped& shipped) {
  Outcome outcome = OkOutcome();
  outcome.system_id = system_id;
  outcome.position = final;
  outcome.bytes = shipped.bytes;
  outcome.message = absl::StrCat("shipped ", shipped.files, " files; the log ends at ",
                                 final.ToString(), " and its lineage is closed");
  return outcome;
}

}  // namespace

std::optional<LogPosition> FinalPosition(const FenceRecord& record, const ControlData& control) {
  if (!record.write.has_value()) return std::nullopt;
  if (record.write->sealed.has_value()) return record.write->sealed;
  if (control.stopped_as_primary()) return control.checkpoint;
  return std::nullopt;
}

absl::StatusOr<LogPosition> ReplayToEnd(ActionContext* context, ServerView view) {
  while (true) {
    if (!view.in_recovery) {
      return Failure("STARTED_WRITABLE",
                     absl::StrCat(context->instance().config().resource.value(),
                                  " came up writable although standby.signal was in place"));
    }
    const LogPosition before = view.position;
    const bool ended = view.end_of_log;
    absl::StatusOr<ServerView> next =
        context->instance().View(std::min(kLookTimeout, context->Left()));
    BATON_RETURN_IF_ERROR(next.status());
    view = *std::move(next);
    if (ended && view.end_of_log && view.position == before && before.lsn > 0) return before;
    BATON_RETURN_IF_ERROR(context->Wait(kPoll));
  }
}

absl::Status ShipWhatIsFull(ActionContext* context, const ControlData& control) {
  const WalFolder wal = context->instance().Wal(control);
  Shipped shipped;
  BATON_RETURN_IF_ERROR(ShipReady(context, wal, &shipped));
  BATON_ASSIGN_OR_RETURN(const std::vector<WalSegment> segments, wal.NotDone(control.timeline()));
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    const std::string name = WalSegmentName(segments[i], control.segment_bytes);
    BATON_RETURN_IF_ERROR(ShipFile(context, wal, name, &shipped));
  }
  context->Did(absl::StrCat(shipped.files, " files shipped"));
  return absl::OkStatus();
}

absl::StatusOr<Outcome> Act(ActionContext* context, const ShipTail&) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  BATON_RETURN_IF_ERROR(RefuseUnfenced(context, record));
  if (record.phase == FencePhase::kClosed) {
    return ShippedTo(*record.write->sealed, record.write->system_id, {});
  }
  BATON_RETURN_IF_ERROR(EnsureStopped(context));
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  if (control.system_id != record.write->system_id) {
    return Refusal(
        "WRONG_SYSTEM_ID",
        absl::StrCat("found the cluster with system identifier ", control.system_id,
                     ", but the fence file gives the right to write to ", record.write->system_id));
  }
  const WalFolder wal = instance.Wal(control);
  Shipped shipped;
  BATON_RETURN_IF_ERROR(ShipReady(context, wal, &shipped));
  BATON_ASSIGN_OR_RETURN(const LogPosition final, FindEnd(context, record, control, wal, &shipped));
  BATON_RETURN_IF_ERROR(ShipToEnd(context, wal, control.segment_bytes, final, &shipped));
  context->Did(absl::StrCat(shipped.files, " files shipped"));
  record.phase = FencePhase::kClosed;
  record.write->sealed = final;
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  return ShippedTo(final, control.system_id, shipped);
}

}  // namespace baton::postgresql
