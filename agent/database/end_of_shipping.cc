// What ends the log of a primary that nobody could fence: StopLogShipping (domain.md F1), and
// SalvageLogs before it.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "agent/database/log_chain.h"
#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kControlTimeout = absl::Seconds(5);
// A file that was fetched between list and seal makes another round; more than a few cannot be.
constexpr int kRoundsMax = 5;

bool IsSame(const Lineage& a, const Lineage& b) {
  return a.system_id == b.system_id && a.epoch == b.epoch && a.instance == b.instance;
}

// Where an earlier try under this epoch sealed it.
std::optional<LogPosition> SealedBefore(const ActionContext& context, const FenceRecord& record,
                                        const StopLogShipping& action) {
  if (record.fence_epoch != context.command().epoch || record.fetch.empty() ||
      action.fetch.empty() || !IsSame(record.fetch.back(), action.fetch.back())) {
    return std::nullopt;
  }
  return record.fetch.back().sealed;
}

absl::StatusOr<LogChain> ChainNow(ActionContext* context, const StopLogShipping& action,
                                  const ReplayPoint& point) {
  PostgresqlInstance& instance = context->instance();
  const std::vector<Lineage> wanted = StillWanted(instance, action.fetch);
  const ArchivePlace place =
      action.without_share ? ArchivePlace::kCopied : ArchivePlace::kCopiedAndShares;
  const absl::StatusOr<ArchivedLog> log =
      instance.archive().List(wanted, point.SegmentName(), place);
  if (absl::IsUnavailable(log.status()) || absl::IsFailedPrecondition(log.status())) {
    return Refusal("SHARE_UNREADABLE",
                   absl::StrCat(log.status().message(),
                                "; mend it, or say that it is gone: then only what was copied "
                                "already counts"));
  }
  BATON_RETURN_IF_ERROR(log.status());
  return FollowChain(point.position, *log, point.segment_bytes);
}

Outcome SealedAt(const LogPosition& seal, const std::string& system_id, const std::string& gap) {
  Outcome outcome = OkOutcome();
  outcome.system_id = system_id;
  outcome.position = seal;
  outcome.message = absl::StrCat("takes no log beyond ", seal.ToString());
  if (!gap.empty())
    absl::StrAppend(&outcome.message, "; ", gap, " is missing: what follows is lost");
  return outcome;
}

// The loss was stated before anything began, by what there was then.
absl::Status RefuseLess(const std::string& name, const StopLogShipping& action,
                        const ReplayPoint& point, const LogChain& chain) {
  const LogPosition had = std::max(point.position, {chain.end.timeline, chain.end.lsn + 1});
  if (had >= action.announced) return absl::OkStatus();
  return Refusal(
      "KEEPS_LESS",
      absl::StrCat(name, ": found its log to end at ", had.ToString(),
                   chain.gap.empty() ? "" : absl::StrCat(", with ", chain.gap, " missing"),
                   ", wanted all up to ", action.announced.ToString(),
                   ", which the plan said would be kept: bring the log files back to the share, or "
                   "abort the plan and ask anew: the answer states the loss as it is now"));
}

absl::Status RefuseForeign(const std::string& name, const StopLogShipping& action,
                           const std::string& system_id) {
  if (action.fetch.empty()) {
    return Refusal("NO_LINEAGE", absl::StrCat(name, ": wanted the lineages that it fetches from"));
  }
  return RefuseOtherSystem(name, system_id, action.fetch.back().system_id);
}

}  // namespace

absl::StatusOr<Outcome> Act(ActionContext* context, const StopLogShipping& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  BATON_RETURN_IF_ERROR(RefuseHolder(context, record));
  BATON_ASSIGN_OR_RETURN(ReplayPoint point, FindReplayPoint(context));
  const std::string& name = instance.config().resource.value();
  BATON_RETURN_IF_ERROR(RefuseForeign(name, action, point.system_id));
  if (const auto sealed = SealedBefore(*context, record, action); sealed.has_value()) {
    return SealedAt(*sealed, point.system_id, "");
  }
  record.phase = FencePhase::kClosed;
  record.fence_epoch = context->command().epoch;
  record.fetch = action.fetch;
  for (int round = 1;; ++round) {
    BATON_RETURN_IF_ERROR(context->Live());
    BATON_ASSIGN_OR_RETURN(const LogChain chain, ChainNow(context, action, point));
    if (round == 1) BATON_RETURN_IF_ERROR(RefuseLess(name, action, point, chain));
    record.fetch.back().sealed = chain.end;
    BATON_RETURN_IF_ERROR(EnsureFence(context, record));
    // What was served between list and seal lies in its log: the seal must not leave it out.
    const uint64_t before = std::max(point.position.lsn, chain.end.lsn + 1);
    BATON_ASSIGN_OR_RETURN(point, FindReplayPoint(context));
    if (point.position.lsn <= before || round == kRoundsMax) {
      return SealedAt(chain.end, point.system_id, chain.gap);
    }
  }
}

absl::StatusOr<Outcome> Act(ActionContext* context, const SalvageLogs& action) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  const std::string& from = action.data_directory;
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  BATON_RETURN_IF_ERROR(RefuseHolder(context, record));
  if (from.empty() || from.front() != '/' || from == instance.config().data_directory) {
    return Refusal("WRONG_DIRECTORY",
                   absl::StrCat(name, ": found data directory \"", from,
                                "\", wanted the dead instance's by an absolute path"));
  }
  const absl::StatusOr<ControlData> control =
      ReadControlData(instance.bin_directory(), from, std::min(kControlTimeout, context->Left()));
  if (!control.ok()) return Refusal("UNREADABLE", std::string(control.status().message()));
  BATON_RETURN_IF_ERROR(RefuseOtherSystem(from, control->system_id, action.from.system_id));
  BATON_ASSIGN_OR_RETURN(const ReplayPoint point, FindReplayPoint(context));
  BATON_RETURN_IF_ERROR(RefuseOtherSystem(name, point.system_id, action.from.system_id));
  std::vector<Lineage> fetch = record.fetch;
  const auto listed = std::find_if(fetch.begin(), fetch.end(), [&](const Lineage& lineage) {
    return IsSame(lineage, action.from);
  });
  if (listed != fetch.end()) {
    if (listed->sealed.has_value()) {
      return Refusal("SEALED", absl::StrCat("its lineage is sealed at ", listed->sealed->ToString(),
                                            " already: what is salvaged now is not served"));
    }
    fetch.erase(listed);
  }
  fetch.push_back(action.from);
  // What a share has is whole, the dead directory may be an older copy: nothing of it may take the
  // place of a shipped file.
  const absl::StatusOr<uint64_t> shipped = instance.archive().CopyPending(
      StillWanted(instance, fetch), WatchCopy(context, "copying log files"));
  BATON_RETURN_IF_ERROR(context->Live());
  if (!shipped.ok()) {
    context->Did(absl::StrCat("shares left aside (", shipped.status().message(), ")"));
  }
  const absl::StatusOr<uint64_t> bytes = instance.archive().Salvage(
      fetch, from, point.SegmentName(), WatchCopy(context, "salvaging log files"));
  if (absl::IsFailedPrecondition(bytes.status())) {
    return Refusal("STILL_ALIVE", std::string(bytes.status().message()));
  }
  BATON_RETURN_IF_ERROR(bytes.status());
  Outcome outcome = OkOutcome();
  outcome.system_id = control->system_id;
  outcome.bytes = *bytes;
  outcome.message = absl::StrCat("salvaged ", *bytes, " bytes of log");
  return outcome;
}

}  // namespace baton::postgresql
