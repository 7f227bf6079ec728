#include "coordinator/planner/failover_checks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/failover_from.h"
#include "coordinator/planner/losses.h"
#include "coordinator/planner/switchover_checks.h"
#include "coordinator/planner/word.h"

namespace baton {
namespace {

// Time goes on between the refusal and the next try.
std::string RoomFor(absl::Duration window) {
  if (window == absl::InfiniteDuration()) return "any";
  return absl::FormatDuration(absl::Ceil(window + absl::Seconds(30), absl::Minutes(1)));
}
std::string Allowed(const Goal& goal) {
  return goal.allow_loss == absl::InfiniteDuration() ? "any"
                                                     : absl::FormatDuration(goal.allow_loss);
}

// Its log left the writer's, before the writer's present log began or ahead of it.
void CheckTimeline(const Inquiry& ask, const DatabaseMove& move, const DatabaseObservation& seen) {
  const LogPosition& fork = move.right->fork;
  const Observation* writer = ask.seen.Find(RefOf(*move.from));
  uint32_t present = fork.timeline;
  if (writer != nullptr && writer->database() != nullptr) {
    present = std::max(present, writer->database()->position.timeline);
  }
  if (present == 0 || seen.position.none()) return;
  const bool ahead = seen.position.timeline > present;
  const bool beyond = seen.position.timeline < fork.timeline && seen.position.lsn > fork.lsn;
  if (!ahead && !beyond) return;
  ask.refusals.Add(
      "FOREIGN_TIMELINE", RefOf(*move.to).ToString(), seen.position.ToString(),
      ahead
          ? absl::StrCat("timeline ", present, " or an older one, as of ", move.from->host.value())
          : absl::StrCat("nothing beyond ", fork.ToString(), ", where the writer's log begins"),
      absl::StrCat("it is no copy of ", move.database->id.value(), ": bring ",
                   move.from->host.value(), " up where it is, then ", Again(ask, "protect")));
}

// Another standby that can be reached has more of the same log.
void CheckFurthest(const Inquiry& ask, const DatabaseMove& move, const DatabaseObservation& seen) {
  const uint64_t own = seen.position.lsn + seen.lag_bytes;
  for (const Instance& other : move.database->instances) {
    if (&other == move.from || &other == move.to || !ask.seen.Connected(other.host)) continue;
    const Observation* found = ask.seen.Find(RefOf(other));
    const DatabaseObservation* copy = found == nullptr ? nullptr : found->database();
    if (copy == nullptr || copy->state != DatabaseState::kStandby ||
        copy->system_id != move.right->system_id ||
        copy->position.timeline != seen.position.timeline || copy->position.lsn <= own) {
      continue;
    }
    ask.refusals.Add("TARGET_NOT_FURTHEST", RefOf(*move.to).ToString(),
                     absl::StrCat("has the log up to ", FormatLsn(own), ", ",
                                  RefOf(other).ToString(), " up to ", copy->position.ToString()),
                     "the copy that is furthest ahead",
                     absl::StrCat("take what ", other.host.value(), " has first"));
  }
}

// The state of an instance that follows, or followed.
void CheckRole(const Inquiry& ask, const DatabaseMove& move, LogEnd end,
               const DatabaseObservation& seen) {
  const ResourceRef ref = RefOf(*move.to);
  const bool own = end == LogEnd::kOwn;
  const bool fits =
      own ? seen.state == DatabaseState::kDown || seen.state == DatabaseState::kStandby
          : seen.state == DatabaseState::kStandby;
  if (!fits) {
    ask.refusals.Add("DATABASE_ROLE", ref.ToString(), std::string(ToString(seen.state)),
                     own ? "a copy with data, stopped or standby" : "standby",
                     seen.state == DatabaseState::kEmpty
                         ? absl::StrCat("there is nothing to go on from: bring ",
                                        move.from->host.value(), " up where it is")
                         : absl::StrCat("bring ", ref.ToString(), " up: baton status"));
  }
  if (seen.system_id != move.right->system_id && seen.state != DatabaseState::kEmpty) {
    ask.refusals.Add("SYSTEM_ID_DIFFERS", ref.ToString(),
                     seen.system_id.empty() ? "no system identifier" : seen.system_id,
                     absl::StrCat(move.right->system_id, ", as adopted"),
                     "it is no copy of this database: put the adopted data directory back");
  }
  const FencePhase phase = ask.seen.Find(ref)->fence.phase;
  if (!own && phase != FencePhase::kClosed && phase != FencePhase::kClosing) {
    ask.refusals.Add("FENCE_STATE", ref.ToString(),
                     absl::StrCat("fence ", std::string(ToString(phase))), "fence closed",
                     phase == FencePhase::kUnconfirmed
                         ? absl::StrCat("baton agents accept ", ref.host.value(), " --reason TEXT")
                         : absl::StrCat("see what writes on ", ref.host.value(),
                                        ", then fence it there: baton-guard fence"));
  }
}

// Holes in what the next writer can fetch. True: go on without what lies behind them.
bool CheckReach(const Inquiry& ask, const DatabaseMove& move, const DatabaseObservation& seen,
                Takeover& takeover, Overrides& overrides) {
  const std::string ref = RefOf(*move.to).ToString();
  bool cut = false;
  if (!seen.gap.empty()) {
    cut = true;
    if (!overrides.Accepts("LOG_GAP", absl::StrCat(ref, " goes on without ", seen.gap,
                                                   " and all that follows it"))) {
      ask.refusals.Add("LOG_GAP", ref, absl::StrCat(seen.gap, " is missing, later files are there"),
                       "a log without a gap",
                       absl::StrCat("bring the file back to the share, or ",
                                    Overrides::Flag("LOG_GAP"), " loses what lies behind it"));
    }
  }
  if (!seen.share_problem.empty()) {
    cut = takeover.without_share = true;
    if (!overrides.Accepts("SHARE_UNREADABLE",
                           absl::StrCat(ref, " goes on with what was copied, without its share: ",
                                        seen.share_problem))) {
      ask.refusals.Add(
          "SHARE_UNREADABLE", ref, seen.share_problem, "a share that can be read to its end",
          absl::StrCat("mend the share on ", move.to->host.value(), ", or ",
                       Overrides::Flag("SHARE_UNREADABLE"), " counts only what was copied"));
    }
  }
  return cut;
}

void Nothing(AnnouncedLoss& loss) {
  if (!loss.lost_end.none()) loss.kept = std::max(loss.kept, loss.lost_end);
  loss.window = absl::ZeroDuration();
  loss.bytes = 0;
  loss.nothing = true;
}

// Its log is not the writer's: neither its position nor its last commit tells what it lacks.
void Diverged(AnnouncedLoss& loss) {
  loss.kept = LogPosition();
  loss.window = absl::InfiniteDuration();
}

// A given-up move promoted it after it had applied all up to the seal, and nobody wrote since.
void LossOfPromoted(const Inquiry& ask, const DatabaseMove& move, AnnouncedLoss& loss) {
  const std::optional<LogPosition>& sealed = move.right->lineages.back().sealed;
  if (ShippedToItsEnd(ask.seen, *move.from, *move.right)) return Nothing(loss);
  if (!sealed.has_value()) return Diverged(loss);
  const Observation* next = ask.seen.Find(RefOf(*move.to));
  const DatabaseObservation* seen = next == nullptr ? nullptr : next->database();
  // What it replayed last may be its own.
  if (seen != nullptr && seen->state == DatabaseState::kStandby &&
      seen->position.timeline > sealed->timeline) {
    loss.last_commit = absl::InfinitePast();
    loss.window = absl::InfiniteDuration();
  }
  loss.kept = *sealed;
  loss.bytes = 0;
  if (loss.lost_end.none() || loss.lost_end.timeline != sealed->timeline) return;
  if (sealed->lsn >= loss.lost_end.lsn) {
    loss.window = loss.report_age;
  } else {
    loss.bytes = loss.lost_end.lsn - sealed->lsn;
  }
}

// What loses nothing instead.
std::string WayToKeepAll(const Inquiry& ask, const Takeover& takeover) {
  const std::string from = takeover.move.from->host.value();
  if (!takeover.move.right->writer.empty()) return absl::StrCat("bring ", from, " up where it is");
  return absl::StrCat(takeover.from_reached ? "" : absl::StrCat("bring ", from, " up, then "),
                      Again(ask, "adopt"), " gives ", from, " its right back with all it wrote");
}

void CheckLoss(const Inquiry& ask, const Takeover& takeover, Overrides& overrides) {
  const AnnouncedLoss& loss = takeover.loss;
  const absl::Duration limit =
      std::min(ask.pool.limits.loss, ask.goal.max_loss.value_or(absl::InfiniteDuration()));
  if (loss.window <= limit) return;
  // Accepted by an override of its own, unless the operator drew a line.
  if (takeover.end == LogEnd::kOwn && !ask.goal.max_loss.has_value()) return;
  if (loss.window <= ask.goal.allow_loss) {
    overrides.Note(
        "LOSS_OVER_LIMIT",
        loss.window == absl::InfiniteDuration()
            ? absl::StrCat(loss.database.value(), " may lose what nobody knows, any accepted")
            : absl::StrCat(loss.database.value(), " may lose the last ",
                           absl::FormatDuration(loss.window), ", ", Allowed(ask.goal),
                           " accepted"));
    return;
  }
  ask.refusals.Add("LOSS_OVER_LIMIT", loss.database.value(), Describe(loss),
                   absl::StrCat("at most the last ", absl::FormatDuration(limit),
                                limit < ask.pool.limits.loss ? " (--max-loss)" : " (limits.loss)"),
                   absl::StrCat(WayToKeepAll(ask, takeover), ", or accept it: --allow-loss ",
                                RoomFor(loss.window)));
}

// How the next writer stands to the one before it.
LogEnd EndOf(const Inquiry& ask, const DatabaseMove& move, const Observation& seen,
             Overrides& overrides) {
  const ResourceRef ref = RefOf(*move.to);
  const WriteRight& right = *move.right;
  if (seen.database()->state != DatabaseState::kEmpty && right.writer.empty() &&
      seen.fence.write_epoch > right.lineages.back().epoch) {
    return LogEnd::kPromoted;
  }
  if (right.followers.contains(move.to->host)) return LogEnd::kSealed;
  const std::string own = seen.database()->position.ToString();
  if (!overrides.Accepts(
          "UNPROTECTED",
          absl::StrCat(ref.ToString(), " takes its right back out of its own log, ", "at about ",
                       own, "; all that ", move.from->host.value(), " wrote since is lost"))) {
    ask.refusals.Add("UNPROTECTED", ref.ToString(),
                     absl::StrCat("it was not seen to follow ", move.from->host.value(),
                                  ", and stands at ", own),
                     "a copy that followed the one that is lost",
                     absl::StrCat("bring ", move.from->host.value(), " up where it is, then ",
                                  Again(ask, "protect"), "; ", Overrides::Flag("UNPROTECTED"),
                                  " gives up all that was written since"));
  }
  return LogEnd::kOwn;
}

}  // namespace

Takeover CheckTakeover(const Inquiry& ask, const PoolState& state, const DatabaseMove& move,
                       Overrides& overrides) {
  Takeover takeover;
  takeover.move = move;
  takeover.from_reached = CheckFrom(ask, state, move, overrides);
  const auto salvage = ask.goal.salvage.find(move.from->host);
  if (salvage != ask.goal.salvage.end()) takeover.salvage = salvage->second;
  takeover.loss = LossBetween(ask.seen, *move.database, *move.from, *move.to, *move.right);
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, RefOf(*move.to));
  if (seen == nullptr) return takeover;
  CheckEpoch(ask, state, RefOf(*move.to));
  takeover.end = EndOf(ask, move, *ask.seen.Find(RefOf(*move.to)), overrides);
  if (takeover.end == LogEnd::kPromoted) {
    LossOfPromoted(ask, move, takeover.loss);
    CheckLoss(ask, takeover, overrides);
    return takeover;
  }
  if (takeover.end == LogEnd::kOwn) Diverged(takeover.loss);
  CheckRole(ask, move, takeover.end, *seen);
  if (takeover.end == LogEnd::kSealed) {
    CheckTimeline(ask, move, *seen);
    CheckFurthest(ask, move, *seen);
    const bool all = AllApplied(ask, move);
    const bool cut = !all && CheckReach(ask, move, *seen, takeover, overrides);
    if (all) takeover.without_share = !seen->share_problem.empty();
    const Observation* old = ask.seen.Find(RefOf(*move.from));
    const bool has_log = takeover.from_reached && old != nullptr && old->database() != nullptr &&
                         old->database()->state != DatabaseState::kEmpty && HoldsRight(move, *old);
    if (has_log && !all && !cut) takeover.end = LogEnd::kShipped;
    if (all || takeover.end == LogEnd::kShipped) Nothing(takeover.loss);
  }
  CheckLoss(ask, takeover, overrides);
  return takeover;
}

void CheckFailoverWord(const Inquiry& ask, const std::vector<DatabaseMove>& moves) {
  CheckWord(ask);
  const SiteId to = ask.seen.topology->SiteOf(moves.front().to->host);
  if (ask.goal.lost_site == to) {
    ask.refusals.Add("LOST_SITE_NOT_SERVING", to.value(),
                     absl::StrCat("the databases are written at ",
                                  ask.seen.topology->SiteOf(moves.front().from->host).value()),
                     "the site that serves",
                     absl::StrCat("nothing has to move; once ", to.value(),
                                  " is back: ", Again(ask, "protect")));
  }
  for (const auto& [host, directory] : ask.goal.salvage) {
    const bool used = std::any_of(moves.begin(), moves.end(), [&](const DatabaseMove& move) {
      return move.from->host == host && !ask.seen.Connected(host);
    });
    if (used) continue;
    ask.refusals.Add("SALVAGE_UNUSABLE", host.value(), absl::StrCat("log in ", directory),
                     "the lost host of a database that moves", "leave --salvage out");
  }
}

}  // namespace baton
