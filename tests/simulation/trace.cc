#include "tests/simulation/trace.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace baton::sim {
namespace {

std::string ActionOf(const Step& step) {
  return step.raises_epoch() ? "RaiseEpoch" : std::string(ActionName(*step.action()));
}

const char* NameOf(ReturnState state) {
  switch (state) {
    case ReturnState::kAnswers:
      return "answers";
    case ReturnState::kSilent:
      return "silent";
    case ReturnState::kTakenForLost:
      return "taken-for-lost";
    case ReturnState::kAwaited:
      return "awaited";
    case ReturnState::kStayedAway:
      return "stayed-away";
  }
  return "-";
}

struct Teller {
  std::string head;
  std::vector<std::string> lines;

  void Tell(const std::string& text) { lines.push_back(absl::StrCat(head, text)); }

  void operator()(const PlanAdmitted& fact) {
    const Plan& plan = *fact.plan;
    Tell(absl::StrCat("plan-admitted ", plan.id.value(), " ", std::string(ToString(plan.kind)), " ",
                      plan.epoch_before.ToString(), " ", plan.epoch.ToString(), " ",
                      plan.undo_epoch.ToString()));
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      const Step& step = plan.steps[i];
      lines.push_back(
          absl::StrCat("step ", plan.id.value(), " ", i, " ", ActionOf(step), " ",
                       step.raises_epoch() ? std::string("-") : step.target.ToString(), " ",
                       step.undo ? "undo " : "forward ",
                       step.after.empty() ? std::string("-") : absl::StrJoin(step.after, ",")));
    }
  }
  void operator()(const EpochRaised& fact) {
    Tell(absl::StrCat("epoch-raised ", fact.plan.value(), " ", fact.epoch.ToString()));
  }
  void operator()(const StepStarted& fact) {
    Tell(absl::StrCat("step-started ", fact.plan.value(), " ", fact.step, " ", fact.attempt));
  }
  void operator()(const StepFinished& fact) {
    Tell(absl::StrCat("step-finished ", fact.plan.value(), " ", fact.step, " ", fact.attempt, " ",
                      std::string(ToString(fact.outcome.code)), " ",
                      fact.outcome.reason.empty() ? std::string("-") : fact.outcome.reason, " ",
                      TracePosition(fact.outcome.position)));
  }
  void operator()(const PlanWaiting& fact) {
    Tell(absl::StrCat("plan-waiting ", fact.plan.value()));
  }
  void operator()(const PlanResumed& fact) {
    Tell(absl::StrCat("plan-resumed ", fact.plan.value()));
  }
  void operator()(const UndoStarted& fact) {
    Tell(absl::StrCat("undo-started ", fact.plan.value()));
  }
  void operator()(const PlanEnded& fact) {
    Tell(absl::StrCat("plan-ended ", fact.plan.value(), " ", std::string(ToString(fact.state))));
  }
  void operator()(const LedgerAccepted& fact) {
    Tell(absl::StrCat("ledger-accepted ", fact.host.value(), " ", fact.ledger.value()));
  }
  void operator()(const PlanPaused& fact) { Tell(absl::StrCat("plan-paused ", fact.plan.value())); }
  void operator()(const StepSkipped& fact) {
    Tell(absl::StrCat("step-skipped ", fact.plan.value(), " ", fact.step));
  }
  void operator()(const AbortStarted& fact) {
    Tell(absl::StrCat("abort-started ", fact.plan.value()));
  }
  void operator()(const ReturnFenced& fact) {
    Tell(absl::StrCat("return-fenced ", fact.resource.ToString(), " ", fact.epoch.ToString()));
  }
  void operator()(const ReturnNoted& fact) {
    Tell(absl::StrCat("return-noted ", fact.plan.value(), " ", fact.host.value(), " ",
                      NameOf(fact.state)));
  }
  void operator()(const TopologyApplied&) { Tell("other"); }
};

}  // namespace

std::string TracePosition(const std::optional<LogPosition>& position) {
  return position.has_value() ? position->ToString() : "-";
}

std::vector<std::string> TraceRecord(const Record& record) {
  Teller teller{absl::StrCat("record ", record.sequence, " "), {}};
  std::visit(teller, record.fact);
  return std::move(teller.lines);
}

}  // namespace baton::sim
