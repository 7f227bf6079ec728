// Deliberately broken builds of one code path each, which a checker must catch.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace baton::sim {

enum class Mutation {
  kNone,
  kGateIgnoresFence,
  kGateIgnoresBoot,
  kGateWithoutLock,
  kFenceWithoutStop,
  kFenceForgetsLedger,
  kFenceFileNotSynced,
  kSupervisorIgnoresFence,
  kSupervisorStopsUnconfirmed,
  kSupervisorLeavesOrphans,
  kTailNotShipped,
  kReadyFilesSkipped,
  kFinalBeforeCheckpoint,
  kApplyDoesNotWait,
  kBindInputForgotten,
  kRecoverBeforeFence,
  kStandbyWithoutSignal,
  kMarkerNotRead,
  kShipsIntoOldLineage,
  kRecordDropped,
  kUnknownTakenForDone,
  kRetryReusesId,
  kJournalAnswersEarly,
  kLedgerAnswersEarly,
  kAgentForgetsEpochs,
  kOldSessionHeard,
  kChildrenNotEnded,
  kConfirmsLosingSide,
  kActivateFirst,
  kPointAtForgotten,
  kDrainNotProven,
  kWaitsSilently,
  kNeverAsks,
  kStandbyPromotesItself,
  kDamageIgnored,
  kStrangersStored,
  kSupervisorTrustsOpen,
  kOwnLogNotLeft,
  kUndoForgetsChat,
  kRevokeForgotten,
  kConfirmsDespiteDue,
  kQuarantineDrops,
  kLossUnderstated,
  kLossLimitIgnored,
  kHomeUpIgnored,
  kWordAssumed,
  kServedNotAwaited,
  kDeadChatChosen,
  kGapIgnored,
  kDamagedLogTaken,
  kRoomNotLookedAt,
  kSealsWhatIsLeft,
  kRightForgetsFetch,
  kRecoverBeforeReturnFenced,
  kSilentAtStart,
  kAnswerUnheard,
  kNobodyAwaited,
  kFollowsByFileAlone,
  kClosedTakenForShipped,
  kClocksCompared,
  kLedgerForgetsFinished,
  kUndoReusesEpoch,
  kStaleRequestHeard,
};

struct MutationInfo {
  Mutation mutation;
  std::string_view name;
  std::string_view checker;  // the one that is there to catch it
  std::string_view what;     // what is broken
  // The story in testdata that shows it, where seeds come to it too rarely.
  std::string_view scenario = {};
};
std::span<const MutationInfo> AllMutations();
std::optional<Mutation> FindMutation(std::string_view name);

}  // namespace baton::sim
