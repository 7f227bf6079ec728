#include "coordinator/planner/switchover_checks.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton {

Epoch HighestSeen(const Inquiry& ask) {
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  Epoch highest = state == nullptr ? Epoch() : state->epoch;
  for (const auto& [ref, seen] : ask.seen.resources) {
    if (seen.observation.pool == ask.pool.id) {
      highest = std::max(
          {highest, seen.observation.fence.fence_epoch, seen.observation.fence.write_epoch});
    }
  }
  return highest;
}

void CheckEpoch(const Inquiry& ask, const PoolState& state, const ResourceRef& ref) {
  const Observation* seen = ask.seen.Find(ref);
  if (seen == nullptr || seen->fence.fence_epoch <= state.epoch) return;
  const Epoch& ahead = seen->fence.fence_epoch;
  const bool ours = ahead.generation == state.epoch.generation;
  const bool failover = ask.goal.kind == PlanKind::kFailover;
  if (ours && failover && ask.goal.override_rules.contains(kFenceEpochAhead)) return;
  std::string remedy =
      "another journal moved the pool since: restore the newest one, or begin a new journal and "
      "baton adopt";
  if (ours) {
    remedy = absl::StrCat(
        "baton adopt ", ask.pool.id.value(),
        failover ? " --reason TEXT, or --override-rule FENCE_EPOCH_AHEAD here, raises it"
                 : " --reason TEXT raises it",
        " above a fence that was put there by hand; if this journal is an older copy, restore the "
        "newest one");
  }
  ask.refusals.Add(kFenceEpochAhead, ref.ToString(), absl::StrCat("epoch ", ahead.ToString()),
                   absl::StrCat("none above this journal's ", state.epoch.ToString()),
                   std::move(remedy));
}

namespace {

void CheckFence(const Inquiry& ask, const PoolState& state, const ResourceRef& ref,
                const FencePhase wanted) {
  const Observation* seen = ask.seen.Find(ref);
  if (seen == nullptr) return;
  if (seen->fence.phase != wanted) {
    std::string remedy = "baton status";
    if (seen->fence.phase == FencePhase::kUnconfirmed) {
      remedy = absl::StrCat("baton agents accept ", ref.host.value(),
                            " --reason TEXT, or wait for the confirmation of this boot");
    } else if (wanted == FencePhase::kOpen) {
      remedy =
          absl::StrCat("baton adopt ", ask.pool.id.value(), " --reason TEXT gives the right back");
    }
    ask.refusals.Add("FENCE_STATE", ref.ToString(),
                     absl::StrCat("fence ", std::string(ToString(seen->fence.phase))),
                     absl::StrCat("fence ", std::string(ToString(wanted))), std::move(remedy));
  }
  CheckEpoch(ask, state, ref);
}

void CheckActive(const Inquiry& ask, const PoolState& state, const ResourceRef& ref,
                 const HostId& instance) {
  const ChatObservation* seen = CheckChatSeen(ask, ref);
  if (seen == nullptr) return;
  if (seen->state != ChatState::kServing) {
    ask.refusals.Add("CHAT_NOT_SERVING", ref.ToString(),
                     absl::StrCat(std::string(ToString(seen->state)),
                                  seen->problem.empty() ? "" : ": ", seen->problem),
                     "serving", absl::StrCat("mend it on ", ref.host.value()));
  }
  if (seen->points_at != instance) {
    ask.refusals.Add("CHAT_POINTS_ELSEWHERE", ref.ToString(),
                     seen->points_at.empty() ? "no instance" : seen->points_at.value(),
                     instance.value(), absl::StrCat("mend it on ", ref.host.value()));
  }
  CheckFence(ask, state, ref, FencePhase::kOpen);
}

}  // namespace

void CheckWriter(const Inquiry& ask, const PoolState& state, const DatabaseMove& move,
                 ArchiverCheck archiver) {
  const ResourceRef ref = RefOf(*move.from);
  if (RefuseAbsentWriter(ask, ref)) return;
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
  if (seen->state != DatabaseState::kPrimary) {
    ask.refusals.Add("DATABASE_ROLE", ref.ToString(), std::string(ToString(seen->state)), "primary",
                     absl::StrCat("bring ", ref.ToString(), " up: baton status"));
  } else if (archiver == ArchiverCheck::kNow && !seen->archiving) {
    ask.refusals.Add(
        "ARCHIVER_FAILING", ref.ToString(),
        seen->archive_failure.empty() ? "its archiver does not run" : seen->archive_failure,
        "an archiver that ships",
        absl::StrCat("mend share ", move.from->share.value(), " on ", ref.host.value()));
  }
  CheckFence(ask, state, ref, FencePhase::kOpen);
  const Epoch held = move.right->lineages.back().epoch;
  const Observation& observation = *ask.seen.Find(ref);
  if (observation.fence.phase == FencePhase::kOpen && observation.fence.write_epoch != held) {
    ask.refusals.Add("WRITE_EPOCH_DIFFERS", ref.ToString(),
                     absl::StrCat("writes under ", observation.fence.write_epoch.ToString()),
                     absl::StrCat("writes under ", held.ToString()), "baton status");
  }
  if (!seen->system_id.empty() && seen->system_id != move.right->system_id) {
    ask.refusals.Add("SYSTEM_ID_DIFFERS", ref.ToString(), seen->system_id,
                     absl::StrCat(move.right->system_id, ", as adopted"),
                     "put the adopted data directory back");
  }
}

void CheckStandby(const Inquiry& ask, const PoolState& state, const DatabaseMove& move) {
  const ResourceRef ref = RefOf(*move.to);
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
  if (seen->state != DatabaseState::kStandby) {
    ask.refusals.Add("DATABASE_ROLE", ref.ToString(), std::string(ToString(seen->state)), "standby",
                     seen->state == DatabaseState::kDown
                         ? absl::StrCat("baton protect ", ask.pool.id.value(),
                                        " --reason TEXT starts it as one again")
                         : absl::StrCat("bring ", ref.ToString(), " up: baton status"));
  } else if (seen->lag_bytes > 0 && seen->lag > ask.pool.limits.loss) {
    // With nothing left to apply the age only tells how long nothing was written.
    ask.refusals.Add(
        "LAG_OVER_LIMIT", ref.ToString(),
        absl::StrCat(absl::FormatDuration(seen->lag), " and ", seen->lag_bytes, " bytes behind"),
        absl::StrCat("at most ", absl::FormatDuration(ask.pool.limits.loss), " (limits.loss)"),
        "wait until it has caught up: baton status -W");
  }
  if (!seen->gap.empty()) {
    ask.refusals.Add(
        "LOG_GAP", ref.ToString(), absl::StrCat(seen->gap, " is missing, later files are there"),
        "a log without a gap, which can be applied to its end",
        absl::StrCat("bring the file back to the share, or seed it anew: baton protect ",
                     ask.pool.id.value(), " --reason TEXT"));
  }
  if (!seen->share_problem.empty()) {
    ask.refusals.Add("SHARE_UNREADABLE", ref.ToString(), seen->share_problem,
                     "a share from which the tail can be fetched",
                     absl::StrCat("mend the share on ", ref.host.value()));
  }
  CheckFence(ask, state, ref, FencePhase::kClosed);
}

void CheckIdleChat(const Inquiry& ask, const PoolState& state, const ResourceRef& ref) {
  const Observation* seen = ask.seen.Find(ref);
  if (seen == nullptr || seen->chat() == nullptr) return;
  const bool away = !ask.seen.Connected(ref.host);
  // The fence of the database keeps it out till then.
  if (away && (state.fence_due.contains(ref) || SaidLost(ask, ref.host))) return;
  CheckEpoch(ask, state, ref);
  const bool runs =
      seen->chat()->state == ChatState::kServing || seen->chat()->state == ChatState::kDraining;
  if (runs || seen->fence.phase == FencePhase::kOpen) {
    ask.refusals.Add(
        "CHAT_SERVES_WITHOUT_RIGHT", ref.ToString(),
        absl::StrCat(std::string(ToString(seen->chat()->state)), ", fence ",
                     std::string(ToString(seen->fence.phase))),
        "down, fence closed",
        away ? absl::StrCat("start baton-agent on ", ref.host.value(),
                            ", or see that it is down, then add --lost-host ", ref.host.value())
             : absl::StrCat("baton-guard fence ", ref.resource.value(), " ",
                            std::max(state.epoch, seen->fence.fence_epoch).ToString(), " on ",
                            ref.host.value()));
  }
}

void CheckFollows(const Inquiry& ask, const DatabaseMove& move) {
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  const ResourceRef ref = RefOf(*move.to);
  if (state != nullptr && state->fence_due.contains(ref)) {
    ask.refusals.Add("RETURN_NOT_FENCED", ref.ToString(),
                     "a failover left it behind, and it was not fenced since",
                     "an instance that follows",
                     absl::StrCat("start its agent, then baton protect ", ask.pool.id.value(),
                                  " --reason TEXT"));
  } else if (!move.right->followers.contains(move.to->host)) {
    ask.refusals.Add("UNPROTECTED", ref.ToString(),
                     absl::StrCat("it was not seen to follow ", move.from->host.value()),
                     "an instance that follows the one that writes",
                     absl::StrCat("baton protect ", ask.pool.id.value(), " --reason TEXT"));
  }
}

void CheckReturns(const Inquiry& ask, const PoolState& state,
                  const std::vector<DatabaseMove>& moves) {
  for (const auto& [ref, epoch] : state.fence_due) {
    const bool follows =
        std::any_of(moves.begin(), moves.end(),
                    [&ref = ref](const DatabaseMove& move) { return RefOf(*move.to) == ref; });
    if (follows || !ask.seen.Connected(ref.host)) continue;
    const std::string& host = ref.host.value();
    ask.refusals.Add(
        "RETURN_NOT_FENCED", ref.ToString(), "it came back, and is not seen to be fenced yet",
        absl::StrCat("fenced under epoch ", epoch.ToString(),
                     ": no right is given away before, and users would wait for it"),
        absl::StrCat("this happens by itself: wait for it with baton status -W; if that takes "
                     "long, baton-guard fence ",
                     ref.resource.value(), " ", epoch.ToString(), " on ", host,
                     ", or turn its power off"));
  }
}

ServingChat CheckLostChat(const Inquiry& ask, const PoolState& state) {
  CheckLostChatHosts(ask, "both instances, which a planned move needs",
                     absl::StrCat("baton failover ", ask.pool.id.value(),
                                  " --reason TEXT, if it is to be moved without them"));
  ServingChat serving = SplitServing(ask, state);
  AddLostStrays(ask, state, serving);
  return serving;
}

void CheckMove(const Inquiry& ask, const PoolState& state, const DatabaseMove& move) {
  CheckWriter(ask, state, move, ArchiverCheck::kNow);
  CheckStandby(ask, state, move);
  CheckTwins(ask, RefOf(*move.from), RefOf(*move.to));
}

void CheckChatServers(const Inquiry& ask, const PoolState& state, const HostId& instance,
                      const std::vector<ResourceRef>& serving,
                      const std::vector<const ChatServer*>& next) {
  for (const ResourceRef& ref : serving) {
    CheckActive(ask, state, ref, instance);
  }
  for (const ChatServer& server : ask.pool.chat_servers) {
    if (!state.active_chat.contains(RefOf(server))) CheckIdleChat(ask, state, RefOf(server));
  }
  for (const ChatServer* server : next) CheckChatSeen(ask, RefOf(*server));
}

}  // namespace baton
