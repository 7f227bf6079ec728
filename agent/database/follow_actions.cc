// What a standby is told: StartStandby, CopyPendingLogs, ApplyPendingLogs.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton::postgresql {
namespace {

// Between two looks at the replay position: the apply step is on the critical path of a move.
constexpr absl::Duration kReplayPoll = absl::Milliseconds(1);
// Between two wakes of a startup process that finds nothing new; longer once it has waited long,
// since each is a line in the server's log.
constexpr absl::Duration kFirstNudge = absl::Milliseconds(10);
constexpr absl::Duration kLastNudge = absl::Milliseconds(500);
constexpr absl::Duration kLookTimeout = absl::Seconds(5);

absl::Status RefuseHolder(ActionContext* context, const FenceRecord& record) {
  if (!record.write.has_value()) return absl::OkStatus();
  return Refusal(
      "HOLDS_THE_RIGHT",
      absl::StrCat(context->instance().config().resource.value(), " may write under epoch ",
                   record.write->epoch.ToString(), " (fence ", std::string(ToString(record.phase)),
                   "), wanted a standby: Fence it, ShipTail and StartStandby first"));
}

// A stopped instance may follow only if nothing of it is missing elsewhere: it is a standby
// already, or its log was shipped to its end.
absl::Status RefuseUnshipped(ActionContext* context, const FenceRecord& record) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  if (record.write.has_value()) {
    if (record.phase == FencePhase::kClosed && record.write->sealed.has_value()) {
      return absl::OkStatus();
    }
    return Refusal("NOT_SHIPPED",
                   absl::StrCat("the log of ", name, " was not shipped to its end (fence ",
                                std::string(ToString(record.phase)),
                                "); Fence it and ShipTail first, or what it holds alone is lost"));
  }
  BATON_ASSIGN_OR_RETURN(const bool standby_signal, instance.HasStandbySignal());
  if (standby_signal) return absl::OkStatus();
  return Refusal("NOT_A_STANDBY",
                 absl::StrCat(name,
                              " is stopped, has no standby.signal and no right to write: it "
                              "is a primary of another life; seed it anew or adopt the pool"));
}

absl::Status WakeReplay(PostgresqlConnection* connection, absl::Duration timeout) {
  return connection->Query("SELECT pg_reload_conf()", timeout).status();
}

// Wakes a startup process that sleeps before it asks for its next file again, and only that one:
// while the position moves, nobody needs to be woken.
class ReplayWaker {
 public:
  // After a look that saw the standby at `position`.
  absl::Status Saw(ActionContext* context, uint64_t position) {
    PostgresqlInstance& instance = context->instance();
    const absl::Duration now = instance.clock().SinceBoot();
    if (position != last_position_) {
      wait_ = kFirstNudge;
      if (last_position_ != 0) next_ = now + wait_;
      last_position_ = position;
    }
    if (now < next_) return absl::OkStatus();
    next_ = now + wait_;
    wait_ = std::min(wait_ * 2, kLastNudge);
    BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, instance.Connected(context->Left()));
    return WakeReplay(connection, context->Left());
  }

 private:
  uint64_t last_position_ = 0;
  absl::Duration wait_ = kFirstNudge;
  absl::Duration next_ = absl::ZeroDuration();  // on the clock; at first at once
};

std::string WhatItWaitsFor(const ServerView& view, const LogPosition& until) {
  return absl::StrCat("has replayed to ", view.position.ToString(), ", wanted past ",
                      until.ToString(), "; its startup process: \"", view.startup_title, "\"",
                      view.replay_paused ? "; its replay is paused (pg_wal_replay_resume())" : "");
}

bool HasApplied(const ServerView& view, const LogPosition& until) {
  return view.position.timeline == until.timeline && view.position.lsn > until.lsn;
}

// Of `fetch` what replay may still ask for: not the lineages, oldest first, that it has left
// behind. All of it when the server cannot be asked. What a restart might want again is fetched by
// then.
std::vector<Lineage> StillWanted(PostgresqlInstance& instance, const std::vector<Lineage>& fetch) {
  const absl::StatusOr<ServerView> view = instance.View(kLookTimeout);
  if (!view.ok() || !view->in_recovery) return fetch;
  const auto first = std::find_if(fetch.begin(), fetch.end(), [&](const Lineage& lineage) {
    return !lineage.sealed.has_value() || view->position.timeline < lineage.sealed->timeline ||
           view->position.lsn <= lineage.sealed->lsn;
  });
  return {first, fetch.end()};
}

absl::Status RefuseOtherLog(const std::string& name, const ServerView& view,
                            const LogPosition& until) {
  if (!view.in_recovery) {
    return Refusal("NOT_IN_RECOVERY", absl::StrCat(name, " runs read-write: it applies no log"));
  }
  if (view.position.timeline <= until.timeline) return absl::OkStatus();
  return Failure("WRONG_TIMELINE",
                 absl::StrCat(name, " replays timeline ", view.position.timeline, ", wanted ",
                              until.ToString(), ": its log has left the one that was shipped"));
}

}  // namespace

absl::StatusOr<Outcome> Act(ActionContext* context, const StartStandby& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  const absl::StatusOr<ServerView> before = instance.View(std::min(kLookTimeout, context->Left()));
  if (before.ok() && !before->in_recovery) {
    return Refusal("RUNS_WRITABLE", absl::StrCat(instance.config().resource.value(),
                                                 " runs read-write; Fence it first"));
  }
  BATON_RETURN_IF_ERROR(RefuseUnshipped(context, record));
  BATON_RETURN_IF_ERROR(instance.fences().PlaceStandbySignal());
  record.phase = FencePhase::kClosed;
  record.fence_epoch = context->command().epoch;
  record.write.reset();
  record.fetch = action.fetch;
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  BATON_ASSIGN_OR_RETURN(const ServerView view, StartAndWait(context));
  if (!view.in_recovery) {
    return Failure("STARTED_WRITABLE", absl::StrCat(instance.config().resource.value(),
                                                    " came up read-write; Fence it at once"));
  }
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, instance.Connected(context->Left()));
  BATON_RETURN_IF_ERROR(WakeReplay(connection, context->Left()));
  Outcome outcome = OkOutcome();
  outcome.system_id = view.system_id;
  outcome.position = view.position;
  outcome.message = absl::StrCat("follows; ", view.startup_title);
  return outcome;
}

absl::StatusOr<Outcome> Act(ActionContext* context, const CopyPendingLogs& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  BATON_RETURN_IF_ERROR(RefuseHolder(context, record));
  record.phase = FencePhase::kClosed;
  record.fence_epoch = context->command().epoch;
  record.fetch = action.fetch;
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  BATON_ASSIGN_OR_RETURN(const uint64_t bytes,
                         instance.archive().CopyPending(StillWanted(instance, action.fetch),
                                                        [context](uint64_t done, uint64_t total) {
                                                          context->Report("copying log files", done,
                                                                          total);
                                                        }));
  Outcome outcome = OkOutcome();
  outcome.bytes = bytes;
  outcome.message = absl::StrCat("copied ", bytes, " bytes of log");
  return outcome;
}

absl::StatusOr<Outcome> Act(ActionContext* context, const ApplyPendingLogs& action) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  ReplayWaker waker;
  std::string state = "gave no answer";
  std::optional<uint64_t> start;
  bool started = false;
  while (true) {
    const absl::StatusOr<ServerView> view = instance.View(kLookTimeout);
    if (view.ok()) {
      BATON_RETURN_IF_ERROR(RefuseOtherLog(name, *view, action.until));
      if (HasApplied(*view, action.until)) {
        Outcome outcome = OkOutcome();
        outcome.system_id = view->system_id;
        outcome.position = view->position;
        outcome.message = absl::StrCat("applied to ", view->position.ToString());
        return outcome;
      }
      state = WhatItWaitsFor(*view, action.until);
      if (!start.has_value()) start = view->position.lsn;
      context->Report("applying log", view->position.lsn - *start,
                      std::max(action.until.lsn, view->position.lsn) - *start);
      BATON_RETURN_IF_ERROR(waker.Saw(context, view->position.lsn));
    } else {
      // It may be restarting: only time tells that it is not. A manager that has lost its memory
      // starts nothing by itself.
      state = std::string(view.status().message());
      if (absl::IsNotFound(view.status()) && !std::exchange(started, true)) {
        BATON_RETURN_IF_ERROR(instance.service().Start(context->Left()));
      }
    }
    const absl::Status waited = context->Wait(view.ok() ? kReplayPoll : kFirstNudge);
    if (!waited.ok()) {
      return absl::Status(waited.code(), absl::StrCat(waited.message(), ": ", name, " ", state));
    }
  }
}

}  // namespace baton::postgresql
