#include "agent/core/decide.h"

#include <utility>

#include "agent/core/decide_internal.h"
#include "agent/core/reconcile.h"

namespace baton::agent {
namespace {

void OnTimer(const AgentState& now, absl::Duration at, const TimerKey& key, Decision& out) {
  switch (key.kind) {
    case TimerKind::kReconnect:
      if (now.stage == Stage::kSettled && now.link == LinkPhase::kDown) OpenSession(now, out);
      return;
    case TimerKind::kReport:
      return OnReportDue(now, at, out);
    case TimerKind::kDeadline:
      return OnDeadline(now, CommandId(key.subject), out);
    case TimerKind::kFinishRetry:
      return OnFinishRetry(now, CommandId(key.subject), out);
    case TimerKind::kFenceRetry:
      out.effects.push_back(ReadFence{ResourceId(key.subject)});
      return;
  }
}

void OnMessage(const AgentState& now, absl::Duration at, const MessageCame& event, Decision& out) {
  // What an older stream still delivers is void: it was not Accepted and never acts.
  if (event.stream != now.stream || now.link == LinkPhase::kDown) return;
  if (const auto* welcome = std::get_if<Welcome>(&event.message)) {
    return OnWelcome(now, at, *welcome, out);
  }
  if (now.link != LinkPhase::kWelcomed) {
    return OnLinkClosed(now,
                        {event.stream, absl::InternalError("the coordinator's first message was "
                                                           "not Welcome")},
                        out);
  }
  if (const auto* command = std::get_if<Command>(&event.message)) {
    OnCommand(now, *command, out);
  } else if (const auto* query = std::get_if<QueryCommand>(&event.message)) {
    OnQuery(now, *query, out);
  } else if (const auto* cancel = std::get_if<CancelCommand>(&event.message)) {
    OnCancel(now, *cancel, out);
  } else if (const auto* dry_run = std::get_if<DryRun>(&event.message)) {
    OnDryRun(now, *dry_run, out);
  } else if (const auto* confirm = std::get_if<Confirm>(&event.message)) {
    OnConfirm(now, *confirm, out);
  } else if (const auto* revoke = std::get_if<Revoke>(&event.message)) {
    OnRevoke(now, *revoke, out);
  } else if (std::holds_alternative<ReportNow>(event.message)) {
    OnReportNow(now, at, out);
  }
}

// Hands each kind of event to its part.
struct Dispatch {
  const AgentState& now;
  absl::Duration at;
  Decision& out;

  void operator()(const Started&) { OnStarted(now, out); }
  void operator()(const ChildrenEnded& e) { OnChildrenEnded(now, e, out); }
  void operator()(const FenceRead& e) { OnFenceRead(now, at, e, out); }
  void operator()(const FenceFileWritten& e) { OnFenceFileWritten(now, at, e, out); }
  void operator()(const FenceEnforced& e) { OnFenceEnforced(now, at, e, out); }
  void operator()(const FenceEntered& e) {
    out.changes.push_back(FenceNoted{e.resource, e.record});
  }
  void operator()(const Looked& e) { OnLooked(now, e, out); }
  void operator()(const ActionEnded& e) { OnActionEnded(now, at, e, out); }
  void operator()(const ActionProgressed& e) { OnProgress(now, at, e, out); }
  void operator()(const Observed& e) { OnObserved(now, at, e, out); }
  void operator()(const Checked& e) { OnChecked(now, e, out); }
  void operator()(const MessageCame& e) { OnMessage(now, at, e, out); }
  void operator()(const LinkClosed& e) { OnLinkClosed(now, e, out); }
  void operator()(const TimerRan& e) { OnTimer(now, at, e.key, out); }
  void operator()(const EpochFound& e) {
    if (e.epoch <= now.EpochOf(e.pool)) return;
    out.entries.push_back(Ledger::EpochSeen{e.pool, e.epoch, JournalId()});
  }
  void operator()(const LedgerFailed& e) { OnLedgerFailed(now, at, e, out); }
};

}  // namespace

Decision Decide(const AgentState& now, const AgentEvent& event) {
  Decision out;
  std::visit(Dispatch{now, event.now, out}, event.what);
  return out;
}

Hello MakeHello(const AgentState& state) {
  Hello hello;
  hello.host = state.host;
  hello.boot = state.Boot();
  hello.version = state.version;
  hello.ledger = state.ledger;
  hello.session_counter = state.session_counter;
  for (const auto& [id, resource] : state.resources) {
    FenceSummary fence = Summarize(resource.fence, resource.boot);
    if (resource.seen.has_value()) fence = Settle(state, id, *resource.seen).fence;
    hello.fences.push_back({resource.pool, id, fence});
  }
  for (const auto& [id, record] : state.commands) {
    if (record.phase != CommandPhase::kFinished) hello.unfinished.push_back(id);
  }
  return hello;
}

}  // namespace baton::agent
