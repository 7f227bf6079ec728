#include "coordinator/model/plan.h"

#include "absl/strings/str_cat.h"

namespace baton {
std::string_view ToString(PlanKind kind) {
  switch (kind) {
    case PlanKind::kAdopt:
      return "adopt";
    case PlanKind::kSwitchover:
      return "switchover";
    case PlanKind::kFailover:
      return "failover";
    case PlanKind::kFailback:
      return "failback";
    case PlanKind::kProtect:
      return "protect";
    case PlanKind::kRemoveQuarantine:
      return "remove-quarantine";
  }
  return "invalid";
}

std::string_view ToString(PlanState state) {
  switch (state) {
    case PlanState::kRunning:
      return "running";
    case PlanState::kWaiting:
      return "waiting";
    case PlanState::kUndoing:
      return "undoing";
    case PlanState::kSucceeded:
      return "succeeded";
    case PlanState::kUndone:
      return "undone";
    case PlanState::kFailed:
      return "failed";
  }
  return "invalid";
}

Action BindInput(const Action& action, const LogPosition& position) {
  Action bound = action;
  if (auto* apply = std::get_if<ApplyPendingLogs>(&bound)) {
    apply->until = position;
  } else if (auto* copy = std::get_if<CopyPendingLogs>(&bound)) {
    if (!copy->fetch.empty()) copy->fetch.back().sealed = position;
  } else if (auto* recover = std::get_if<Recover>(&bound)) {
    if (!recover->fetch.empty()) recover->fetch.back().sealed = position;
  } else if (auto* standby = std::get_if<StartStandby>(&bound)) {
    if (standby->fetch.size() >= 2) standby->fetch[standby->fetch.size() - 2].sealed = position;
  }
  return bound;
}

namespace {

std::string WhyUnbounded(const AnnouncedLoss& loss) {
  if (loss.report_age == absl::InfiniteDuration()) return "its writer was never seen";
  if (loss.last_commit == absl::InfinitePast()) return "no commit of it was dated";
  if (loss.writer_clock == absl::InfinitePast()) return "its writer never told its clock";
  return absl::StrCat("its writer's clock has not come to that commit, at ",
                      absl::FormatTime(absl::RFC3339_sec, loss.writer_clock, absl::UTCTimeZone()));
}

}  // namespace

std::string Describe(const AnnouncedLoss& loss) {
  if (loss.nothing) {
    return absl::StrCat(
        loss.database.value(), ": nothing, all of its log ",
        loss.kept.none() ? std::string() : absl::StrCat("up to ", loss.kept.ToString(), " "),
        "is kept");
  }
  if (loss.kept.none()) {
    return absl::StrCat(loss.database.value(),
                        ": all that its writer has and this copy's own log has not; how much that "
                        "is is not known");
  }
  std::string text = absl::StrCat(loss.database.value(), ": everything after ");
  if (loss.last_commit == absl::InfinitePast()) {
    absl::StrAppend(&text, "position ", loss.kept.ToString());
  } else {
    absl::StrAppend(&text, "the last commit that the backup will have, of ",
                    absl::FormatTime(absl::RFC3339_sec, loss.last_commit, absl::UTCTimeZone()),
                    " (position ", loss.kept.ToString(), ")");
  }
  if (loss.window == absl::InfiniteDuration()) {
    absl::StrAppend(&text, "; how much that is is not known: ", WhyUnbounded(loss));
  } else {
    // The last report knows nothing of what was written after it.
    absl::StrAppend(&text, ": at most the last ", absl::FormatDuration(loss.window),
                    loss.bytes == 0 ? std::string()
                                    : absl::StrCat(", about ", loss.bytes, " bytes of log or more"),
                    "; its writer was last seen ", absl::FormatDuration(loss.report_age), " ago");
  }
  return text;
}

std::string Describe(const Refusal& refusal) {
  std::string text = absl::StrCat(refusal.rule, " ", refusal.subject, ": found ", refusal.found,
                                  "; wanted ", refusal.wanted);
  if (!refusal.remedy.empty()) absl::StrAppend(&text, "; next: ", refusal.remedy);
  return text;
}

}  // namespace baton
