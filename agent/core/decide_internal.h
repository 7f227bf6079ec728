// The parts of Decide, one per matter. Each adds to `out`. Nothing outside agent/core includes it.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/decide.h"

namespace baton::agent {

// decide_recovery.cc: from the start to the first session, and what the fence files need.
void OnStarted(const AgentState& now, Decision& out);
void OnChildrenEnded(const AgentState& now, const ChildrenEnded& event, Decision& out);
void OnFenceRead(const AgentState& now, absl::Duration at, const FenceRead& event, Decision& out);
void OnFenceFileWritten(const AgentState& now, absl::Duration at, const FenceFileWritten& event,
                        Decision& out);
// `command` is settled by this decision: are all?
void AfterSettled(const AgentState& now, const CommandId& command, Decision& out);

// decide_command.cc: commands, by the table.
void OnCommand(const AgentState& now, const Command& command, Decision& out);
void OnQuery(const AgentState& now, const QueryCommand& query, Decision& out);
void OnCancel(const AgentState& now, const CancelCommand& cancel, Decision& out);
void OnActionEnded(const AgentState& now, absl::Duration at, const ActionEnded& event,
                   Decision& out);
void OnLooked(const AgentState& now, const Looked& event, Decision& out);
void OnProgress(const AgentState& now, absl::Duration at, const ActionProgressed& event,
                Decision& out);
void OnDeadline(const AgentState& now, const CommandId& command, Decision& out);
void OnFinishRetry(const AgentState& now, const CommandId& command, Decision& out);
void OnDryRun(const AgentState& now, const DryRun& dry_run, Decision& out);
void OnChecked(const AgentState& now, const Checked& event, Decision& out);
// Asks the runner of `id`, which runs, to stop.
void Stop(const AgentState& now, const CommandId& id, std::string_view reason, Decision& out);
// The command that waited for the fence file of `resource`, if any, has its turn.
void DeliverDeferred(const ResourceState& resource, const ResourceId& id, Decision& out);
void OnLedgerFailed(const AgentState& now, absl::Duration at, const LedgerFailed& event,
                    Decision& out);
// Why commands and confirmations of `pool` under the present session's journal are refused.
// kOk: they are not.
Outcome JudgeJournal(const AgentState& now, const PoolId& pool, const Epoch& epoch);

// decide_confirm.cc: the right to write, confirmed in this boot.
void OnConfirm(const AgentState& now, const Confirm& confirm, Decision& out);
void OnConfirmRead(const AgentState& now, const ResourceState& resource, const FenceRead& event,
                   Decision& out);
void EndConfirm(const AgentState& now, const ResourceId& resource, Outcome outcome, Decision& out);

// decide_revoke.cc: the right to write, taken while the host could not be reached.
inline constexpr std::string_view kRevoked = "REVOKED";
void OnRevoke(const AgentState& now, const Revoke& revoke, Decision& out);
void OnRevokeRead(const AgentState& now, absl::Duration at, const ResourceState& resource,
                  const FenceRead& event, Decision& out);
void OnRevokeWritten(const AgentState& now, absl::Duration at, const ResourceState& resource,
                     const FenceFileWritten& event, Decision& out);
void EndRevoke(const AgentState& now, absl::Duration at, const ResourceId& resource,
               Outcome outcome, Decision& out);

// decide_enforce.cc: what runs though its fence says that it must not.
// By `seen`, as its probe tells it, of this moment.
void EnforceWhatIsSeen(const AgentState& now, const Observation& seen, Decision& out);
void OnFenceEnforced(const AgentState& now, absl::Duration at, const FenceEnforced& event,
                     Decision& out);

// decide_session.cc: the stream.
void OpenSession(const AgentState& now, Decision& out);
void OnWelcome(const AgentState& now, absl::Duration at, const Welcome& welcome, Decision& out);
void OnLinkClosed(const AgentState& now, const LinkClosed& event, Decision& out);

// decide_report.cc: looking and telling.
void AskForProbe(const AgentState& now, const ResourceId& resource, absl::Duration at,
                 Decision& out);
void OnObserved(const AgentState& now, absl::Duration at, const Observed& event, Decision& out);
void OnReportDue(const AgentState& now, absl::Duration at, Decision& out);
void OnReportNow(const AgentState& now, absl::Duration at, Decision& out);
// `seen` as it is told: under the resource's own names, with the stricter fence.
Observation Settle(const AgentState& now, const ResourceId& resource, Observation seen);

}  // namespace baton::agent
