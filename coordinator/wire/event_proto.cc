#include "coordinator/wire/event_proto.h"

#include "absl/strings/str_cat.h"

#include "common/base/strings.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {
namespace {

std::string By(const std::string& who) { return who.empty() ? "" : absl::StrCat(" by ", who); }
std::string Because(const std::string& why) { return why.empty() ? "" : absl::StrCat(": ", why); }

// Fills kind, text and what the event is about.
struct Tell {
  v1::Event& event;
  const Plan* plan;

  void Say(const char* kind, const std::string& text) const {
    event.set_kind(kind);
    // One line whatever the parts hold.
    std::string line = CleanText(text, 1000);
    for (char& c : line) {
      if (c == '\n' || c == '\r' || c == '\t') c = ' ';
    }
    event.set_text(line);
  }

  const Step* AtStep(int index) const {
    event.set_step(index);
    if (plan == nullptr || index < 0 || index >= static_cast<int>(plan->steps.size())) {
      return nullptr;
    }
    const Step& step = plan->steps[index];
    event.set_host(step.target.host.value());
    return &step;
  }

  std::string TitleOf(int index) const {
    const Step* step = AtStep(index);
    return step == nullptr ? absl::StrCat("step ", index) : step->title;
  }

  void operator()(const TopologyApplied& fact) const {
    Say("TOPOLOGY_APPLIED", absl::StrCat("topology revision ", fact.revision, " applied",
                                         By(fact.applied_by), Because(fact.reason)));
  }
  void operator()(const LedgerAccepted& fact) const {
    event.set_host(fact.host.value());
    Say("LEDGER_ACCEPTED",
        absl::StrCat("ledger ", fact.ledger.value(), " speaks for ", fact.host.value(),
                     fact.by.empty() ? ", its first contact" : "", By(fact.by),
                     Because(fact.reason)));
  }
  void operator()(const PlanAdmitted& fact) const {
    Say("PLAN_ADMITTED",
        absl::StrCat(std::string(ToString(fact.plan->kind)), " of ", fact.plan->pool.value(),
                     fact.plan->to_site.empty() ? "" : " to ", fact.plan->to_site.value(),
                     " begins", By(fact.plan->requested_by), Because(fact.plan->reason)));
  }
  void operator()(const EpochRaised& fact) const {
    AtStep(fact.step);
    event.set_pool(fact.pool.value());
    Say("EPOCH_RAISED",
        absl::StrCat("epoch of ", fact.pool.value(), " is now ", fact.epoch.ToString()));
  }
  void operator()(const StepStarted& fact) const {
    const std::string title = TitleOf(fact.step);
    Say("STEP_STARTED",
        fact.attempt > 1 ? absl::StrCat(title, " (try ", fact.attempt, ")") : title);
  }
  void operator()(const StepFinished& fact) const {
    const std::string title = TitleOf(fact.step);
    switch (fact.outcome.code) {
      case OutcomeCode::kOk:
        Say("STEP_SUCCEEDED", absl::StrCat(title, Because(fact.outcome.message)));
        return;
      case OutcomeCode::kUnknown:
        Say("STEP_UNKNOWN", absl::StrCat(title, ": not known whether it took effect",
                                         Because(fact.outcome.message)));
        return;
      case OutcomeCode::kFailed:
      case OutcomeCode::kRefused:
      case OutcomeCode::kCancelled:
        Say("STEP_FAILED", absl::StrCat(title, ": ", std::string(ToString(fact.outcome.code)), " ",
                                        fact.outcome.reason, Because(fact.outcome.message)));
        return;
    }
  }
  void operator()(const PlanWaiting& fact) const {
    Say("PLAN_WAITING", absl::StrCat("the plan waits", Because(fact.reason)));
  }
  void operator()(const PlanResumed& fact) const {
    if (fact.step.has_value()) {
      const std::string title = TitleOf(*fact.step);
      return Say("PLAN_RESUMED",
                 absl::StrCat("to be tried again: ", title, By(fact.by), Because(fact.reason)));
    }
    Say("PLAN_RESUMED", absl::StrCat("the plan goes on", By(fact.by), Because(fact.reason)));
  }
  void operator()(const PlanPaused& fact) const {
    Say("PLAN_PAUSED",
        absl::StrCat("paused: no further step begins", By(fact.by), Because(fact.reason)));
  }
  void operator()(const StepSkipped& fact) const {
    const std::string title = TitleOf(fact.step);
    Say("STEP_SKIPPED", absl::StrCat("skipped: ", title, By(fact.by), Because(fact.reason)));
  }
  void operator()(const AbortStarted& fact) const {
    Say("ABORT_STARTED", absl::StrCat("the plan is given up; what runs is cancelled", By(fact.by),
                                      Because(fact.reason)));
  }
  void operator()(const ReturnFenced& fact) const {
    event.set_pool(fact.pool.value());
    event.set_host(fact.resource.host.value());
    Say("RETURN_FENCED", absl::StrCat(fact.resource.ToString(), " is back, and fenced under epoch ",
                                      fact.epoch.ToString(), " before anything else"));
  }
  void operator()(const ReturnNoted& fact) const {
    event.set_host(fact.host.value());
    const std::string& host = fact.host.value();
    switch (fact.state) {
      case ReturnState::kAnswers:
        return Say("LOST_HOST_ANSWERS",
                   absl::StrCat(host,
                                " was taken for lost, and answers: no right is given away "
                                "until it is fenced"));
      case ReturnState::kSilent:
        return Say("LOST_HOST_SILENT",
                   absl::StrCat(host,
                                " answered, and is silent again: it is not known to be "
                                "fenced"));
      case ReturnState::kTakenForLost:
        return Say("LOST_HOST_TAKEN_FOR_LOST",
                   absl::StrCat(host, " is taken for lost anew, on an operator's word"));
      case ReturnState::kAwaited:
        return Say("LOST_HOST_AWAITED",
                   absl::StrCat(host,
                                " was taken for lost and may have answered the coordinator before "
                                "this one: no right is given away before it had the time to "
                                "answer this one"));
      case ReturnState::kStayedAway:
        return Say("LOST_HOST_STAYED_AWAY",
                   absl::StrCat(host,
                                " had the time to answer and did not: it is taken for lost, as was "
                                "said before"));
    }
  }
  void operator()(const UndoStarted& fact) const {
    Say("UNDO_STARTED", absl::StrCat("the plan goes back", Because(fact.reason)));
  }
  void operator()(const PlanEnded& fact) const {
    const char* kind = fact.state == PlanState::kSucceeded ? "PLAN_SUCCEEDED"
                       : fact.state == PlanState::kUndone  ? "PLAN_UNDONE"
                                                           : "PLAN_FAILED";
    Say(kind, absl::StrCat("the plan ", std::string(ToString(fact.state)), Because(fact.text)));
  }
};

}  // namespace

v1::Event ToEvent(const Record& record, const Plan* plan) {
  v1::Event event;
  event.set_sequence(record.sequence);
  *event.mutable_time() = ToProto(record.time);
  if (plan != nullptr) {
    event.set_pool(plan->pool.value());
    event.set_plan(PlanName(plan->pool, plan->id));
  }
  std::visit(Tell{event, plan}, record.fact);
  return event;
}

}  // namespace baton
