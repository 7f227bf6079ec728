// ApplyPendingLogs: domain.md F3.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/database/log_chain.h"
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
// Between two looks for a missing file: a list of a share may miss one that comes just then.
constexpr absl::Duration kGapLook = absl::Seconds(2);
// Longer than any conflict with a query may hold up replay, or a slow share one file.
constexpr absl::Duration kReplayPatience = absl::Minutes(2);

absl::Status Wake(ActionContext* context) {
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection,
                         context->instance().Connected(context->Left()));
  return connection->Query(kWakeReplay, context->Left()).status();
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
    return Wake(context);
  }

 private:
  uint64_t last_position_ = 0;
  absl::Duration wait_ = kFirstNudge;
  absl::Duration next_ = absl::ZeroDuration();  // on the clock; at first at once
};

// A file that is missing while a later one is there does not come any more, since one is shipped
// after the other; unless somebody brings it back. Whatever else keeps replay from going on is no
// wait without an end either.
class ReplayWatch {
 public:
  // After a look at the standby. GAP: it waits for a missing file; NO_PROGRESS: for what, `state`
  // tells.
  absl::Status Saw(const PostgresqlInstance& instance, const ServerView& view,
                   const std::string& state) {
    const absl::Duration now = instance.clock().SinceBoot();
    if (view.position != position_) {
      position_ = view.position;
      gap_.clear();
      next_ = now + kGapLook;
      moved_ = now;
    }
    if (now < next_) return absl::OkStatus();
    const std::string& name = instance.config().resource.value();
    if (now - moved_ > kReplayPatience) {
      return Failure("NO_PROGRESS",
                     absl::StrCat(name, " has replayed nothing for ",
                                  absl::FormatDuration(kReplayPatience), ": it ", state));
    }
    next_ = now + kGapLook;
    const absl::StatusOr<std::string> gap =
        WaitedGap(instance, view, ArchivePlace::kCopiedAndShares);
    if (!gap.ok()) return absl::OkStatus();  // a share that cannot be read tells nothing
    if (gap->empty() || *gap != gap_) {
      gap_ = *gap;
      return absl::OkStatus();
    }
    return Failure("GAP", absl::StrCat(name, ": waits for ", gap_,
                                       ", which is missing though later files are there: bring it "
                                       "back to the share, or abort and have it seeded anew: baton "
                                       "protect"));
  }

 private:
  LogPosition position_;
  std::string gap_;
  absl::Duration next_ = absl::ZeroDuration();
  absl::Duration moved_ = absl::ZeroDuration();
};

std::string WhatItWaitsFor(const ServerView& view, const LogPosition& until) {
  return absl::StrCat("has replayed to ", view.position.ToString(), ", wanted past ",
                      until.ToString(), "; its startup process: \"", view.startup_title, "\"",
                      view.replay_paused ? "; its replay is paused (pg_wal_replay_resume())" : "");
}

bool HasApplied(const ServerView& view, const LogPosition& until) {
  return view.position.timeline == until.timeline && view.position.lsn > until.lsn;
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

// Tells when replay has all that is served, of a log that nobody ended in order: its last record
// may be cut off, so that no position says it.
class EndOfServed {
 public:
  // After a look at the standby.
  absl::StatusOr<bool> Reached(ActionContext* context, const ServerView& view,
                               const LogPosition& until) {
    if (!chain_.has_value()) BATON_RETURN_IF_ERROR(LookWhatIsServed(context));
    if (view.position != position_) {
      position_ = view.position;
      sleeps_ = 0;
      awake_ = true;
    }
    // Woken, it asks for its next file again before it sleeps. The first time it may have been half
    // through when the last file came.
    const bool fell_asleep = view.end_of_log && awake_;
    awake_ = !view.end_of_log;
    // What was not copied before, the standby copies by itself.
    if (fell_asleep && EndsBefore(until)) BATON_RETURN_IF_ERROR(LookWhatIsServed(context));
    if (EndsBefore(until)) {
      sleeps_ = 0;
      return false;
    }
    if (view.position.timeline == chain_->end.timeline) {
      if (view.position.lsn > chain_->end.lsn) return true;
      if (view.end_of_log && WaitsBeyond(view.startup_title)) return true;
    }
    if (fell_asleep && ++sleeps_ < kSleeps) BATON_RETURN_IF_ERROR(Wake(context));
    return sleeps_ >= kSleeps && HasTheLastFile(view);
  }

 private:
  static constexpr int kSleeps = 3;

  absl::Status LookWhatIsServed(ActionContext* context) {
    BATON_ASSIGN_OR_RETURN(const ReplayPoint point, FindReplayPoint(context));
    BATON_ASSIGN_OR_RETURN(const FenceRecord record, context->instance().Fence());
    BATON_ASSIGN_OR_RETURN(const ArchivedLog copied,
                           context->instance().archive().List(record.fetch, point.SegmentName(),
                                                              ArchivePlace::kCopied));
    segment_bytes_ = point.segment_bytes;
    chain_ = FollowChain(point.position, copied, segment_bytes_);
    return absl::OkStatus();
  }

  bool EndsBefore(const LogPosition& until) const {
    return chain_->end.timeline == until.timeline && chain_->end.lsn < until.lsn;
  }

  uint64_t LastFile() const { return chain_->end.lsn / segment_bytes_; }

  bool WaitsBeyond(const std::string& startup_title) const {
    const std::optional<StartupTitle> title = ParseStartupTitle(startup_title);
    if (!title.has_value() || !title->waiting) return false;
    const auto segment = ParseWalSegmentName(title->segment, segment_bytes_);
    return segment.has_value() && segment->number > LastFile();
  }

  // It has opened the last file, or asks for a later one. One that sleeps while it waits for a file
  // that is served cannot fetch it (a full disk, a damaged copy): that is no end of the log.
  bool HasTheLastFile(const ServerView& view) const {
    const std::optional<StartupTitle> title = ParseStartupTitle(view.startup_title);
    if (!title.has_value()) return view.position.lsn / segment_bytes_ >= LastFile();
    const auto segment = ParseWalSegmentName(title->segment, segment_bytes_);
    if (!segment.has_value()) return false;
    return title->waiting ? segment->number > LastFile() : segment->number >= LastFile();
  }

  std::optional<LogChain> chain_;
  uint64_t segment_bytes_ = 0;
  LogPosition position_;
  int sleeps_ = 0;
  bool awake_ = true;
};

}  // namespace

absl::StatusOr<Outcome> Act(ActionContext* context, const ApplyPendingLogs& action) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  ReplayWaker waker;
  ReplayWatch watch;
  EndOfServed end;
  std::string state = "gave no answer";
  std::optional<uint64_t> start;
  bool started = false;
  while (true) {
    const absl::StatusOr<ServerView> view = instance.View(kLookTimeout);
    if (view.ok()) {
      BATON_RETURN_IF_ERROR(RefuseOtherLog(name, *view, action.until));
      bool applied = HasApplied(*view, action.until);
      if (!applied && action.to_end) {
        BATON_ASSIGN_OR_RETURN(applied, end.Reached(context, *view, action.until));
      }
      if (applied) {
        Outcome outcome = OkOutcome();
        outcome.system_id = view->system_id;
        outcome.position = view->position;
        outcome.message = absl::StrCat("applied to ", view->position.ToString());
        return outcome;
      }
      state = WhatItWaitsFor(*view, action.until);
      BATON_RETURN_IF_ERROR(watch.Saw(instance, *view, state));
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
