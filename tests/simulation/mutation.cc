#include "tests/simulation/mutation.h"

#include <array>

namespace baton::sim {
namespace {

using M = Mutation;

constexpr std::array kMutations = {
    MutationInfo{M::kGateIgnoresFence, "gate-ignores-fence", "fenced-on-return",
                 "the gate takes every fence for an open one"},
    MutationInfo{M::kGateIgnoresBoot, "gate-ignores-boot", "fenced-on-return",
                 "the gate takes a fence confirmed in another boot for confirmed"},
    MutationInfo{M::kGateWithoutLock, "gate-without-lock", "gate",
                 "the gate hands no lock to what it lets start"},
    MutationInfo{M::kFenceWithoutStop, "fence-without-stop", "fence-phases",
                 "Fence writes its file and stops nothing"},
    MutationInfo{M::kFenceForgetsLedger, "fence-forgets-ledger", "fence-file",
                 "a fence goes into the file and not into the ledger"},
    MutationInfo{M::kFenceFileNotSynced, "fence-file-not-synced", "fence-file",
                 "a fence file is renamed and its folder is not synced"},
    MutationInfo{M::kSupervisorIgnoresFence, "supervisor-ignores-fence", "supervisor",
                 "the supervisor does not look at the fence"},
    MutationInfo{M::kSupervisorStopsUnconfirmed, "supervisor-stops-unconfirmed", "served-goes-on",
                 "the supervisor stops what runs under an unconfirmed fence"},
    MutationInfo{M::kTailNotShipped, "tail-not-shipped", "nothing-lost",
                 "ShipTail calls the last shipped segment the end of the log"},
    MutationInfo{M::kReadyFilesSkipped, "ready-files-skipped", "fence-phases",
                 "ShipTail ships the tail and not the files that wait before it"},
    MutationInfo{M::kFinalBeforeCheckpoint, "final-before-checkpoint", "rejoin",
                 "the last record of the old primary is not in what is shipped"},
    MutationInfo{M::kApplyDoesNotWait, "apply-does-not-wait", "order",
                 "ApplyPendingLogs succeeds wherever replay stands"},
    MutationInfo{M::kBindInputForgotten, "bind-input-forgotten", "ends-or-waits",
                 "the final position does not reach ApplyPendingLogs"},
    MutationInfo{M::kRecoverBeforeFence, "recover-before-fence", "order",
                 "the plan recovers the backup without waiting for the fence"},
    MutationInfo{M::kStandbyWithoutSignal, "standby-without-signal", "fence-phases",
                 "Fence puts no standby.signal into the data directory"},
    MutationInfo{M::kMarkerNotRead, "marker-not-read", "share-marker",
                 "nobody looks whether a share is mounted"},
    MutationInfo{M::kShipsIntoOldLineage, "ships-into-old-lineage", "lineage",
                 "ShipTail ships into the first lineage's directory for ever"},
    MutationInfo{M::kRecordDropped, "record-dropped", "replay-is-memory",
                 "the journal keeps no StepFinished"},
    MutationInfo{M::kUnknownTakenForDone, "unknown-taken-for-done", "never-assumes",
                 "an outcome that nobody knows counts as success"},
    MutationInfo{M::kRetryReusesId, "retry-reuses-id", "accepted-before-acting",
                 "a retry carries the id of the first try"},
    MutationInfo{M::kJournalAnswersEarly, "journal-answers-early", "durable-before-sent",
                 "the journal answers before its records are durable"},
    MutationInfo{M::kLedgerAnswersEarly, "ledger-answers-early", "accepted-before-acting",
                 "the ledger answers before its entries are durable"},
    MutationInfo{M::kAgentForgetsEpochs, "agent-forgets-epochs", "epochs-only-grow",
                 "the ledger keeps no epoch"},
    MutationInfo{M::kOldSessionHeard, "old-session-heard", "session",
                 "an agent hears in its new session what an old one still delivers"},
    MutationInfo{M::kChildrenNotEnded, "children-not-ended", "one-command",
                 "a restarted agent does not end the children of the one before"},
    MutationInfo{M::kConfirmsLosingSide, "confirms-losing-side", "gate",
                 "the coordinator confirms rights that a plan is taking away"},
    MutationInfo{M::kActivateFirst, "activate-first", "chat",
                 "the plan activates the new chat server before the old one is gone"},
    MutationInfo{M::kPointAtForgotten, "point-at-forgotten", "ends-or-waits",
                 "the plan does not point the new chat server at the new primary"},
    MutationInfo{M::kDrainNotProven, "deactivate-not-proven", "chat",
                 "Deactivate writes its fence and does not wait for the stop"},
    MutationInfo{M::kWaitsSilently, "waits-silently", "ends-or-waits",
                 "a plan that waits says so to nobody"},
    MutationInfo{M::kNeverAsks, "never-asks", "ends-or-waits",
                 "the coordinator never asks what became of a command"},
    MutationInfo{M::kStandbyPromotesItself, "standby-promotes-itself", "one-writer",
                 "another tool promotes the standby after a while"},
    MutationInfo{M::kDamageIgnored, "damage-ignored", "fence-file",
                 "a fence file that is not understood is taken for an open one"},
    MutationInfo{M::kStrangersStored, "strangers-stored", "peers",
                 "the coordinator keeps what an agent says of resources that it does not have"},
    MutationInfo{M::kSupervisorTrustsOpen, "supervisor-trusts-open", "fenced-on-return",
                 "a supervisor that finds no server of its own takes an open fence for valid"},
    MutationInfo{M::kOwnLogNotLeft, "own-log-not-left", "undo",
                 "an undo starts the old primary again in the timeline that it shipped"},
    MutationInfo{M::kUndoForgetsChat, "undo-forgets-chat", "undo",
                 "an undo gives the databases back and does not activate chat"},
    MutationInfo{M::kRevokeForgotten, "revoke-forgotten", "fenced-on-return",
                 "nobody tells who comes back that its right was taken"},
    MutationInfo{M::kConfirmsDespiteDue, "confirms-despite-due", "fenced-on-return",
                 "the coordinator confirms the right of who comes back before it is fenced"},
    MutationInfo{M::kQuarantineDrops, "quarantine-drops", "orphans",
                 "Quarantine removes the data and keeps nothing"},
    MutationInfo{M::kLossUnderstated, "loss-understated", "loss",
                 "a failover announces that nothing is lost"},
    MutationInfo{M::kLossLimitIgnored, "loss-limit-ignored", "refuses",
                 "a failover past the loss limit is not refused"},
    MutationInfo{M::kHomeUpIgnored, "home-up-ignored", "refuses",
                 "a failover away from a primary that serves is not refused"},
    MutationInfo{M::kWordAssumed, "word-assumed", "refuses",
                 "who is not connected counts as lost without anybody's word"},
    MutationInfo{M::kServedNotAwaited, "served-not-awaited", "loss",
                 "a standby applies late, and a failover does not wait until it has"},
    MutationInfo{M::kDeadChatChosen, "chooses-a-dead-chat-server", "chat",
                 "who is not connected counts as a chat server that can serve next"},
    MutationInfo{M::kGapIgnored, "ignores-a-gap", "refuses",
                 "a move to a copy whose log has a gap is not refused"},
    MutationInfo{M::kDamagedLogTaken, "takes-a-damaged-log", "nothing-lost",
                 "a log file that differs from its checksum is copied and applied"},
    MutationInfo{M::kRoomNotLookedAt, "quarantines-without-room", "orphans",
                 "Quarantine removes data though its copy was cut off by a full disk"},
    MutationInfo{M::kRightForgetsFetch, "right-forgets-fetch", "loss",
                 "who is given the right can restore nothing more before it is open"},
};

}  // namespace

std::span<const MutationInfo> AllMutations() { return kMutations; }

std::optional<Mutation> FindMutation(std::string_view name) {
  for (const MutationInfo& info : kMutations) {
    if (info.name == name) return info.mutation;
  }
  return std::nullopt;
}

}  // namespace baton::sim
