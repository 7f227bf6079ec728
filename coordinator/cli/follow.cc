#include "coordinator/cli/follow.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/cli/commands.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);
constexpr int kTicksBetweenLooks = 5;
constexpr absl::Duration kPatience = absl::Minutes(10);

bool NothingToWatch(const v1::Plan& plan) {
  if (CodeOf(plan) != ExitCode::kWaiting) return CodeOf(plan) != ExitCode::kStillRunning;
  // What ran when it was paused still ends.
  return !plan.paused() ||
         std::none_of(plan.steps().begin(), plan.steps().end(),
                      [](const v1::Step& step) { return step.state() == v1::STEP_STATE_RUNNING; });
}

// Follows one plan over one stream after another.
class Follower {
 public:
  Follower(std::string name, Client& client, const Terminal& terminal, PlanView& view)
      : name_(std::move(name)),
        client_(client),
        terminal_(terminal),
        view_(view),
        reconnect_(client, terminal, [&view] { view.BeginAnew(); }) {}

  absl::StatusOr<v1::Plan> Run() {
    const Interrupt::Scope scope(terminal_.interrupt, nullptr);
    while (!terminal_.interrupt.triggered()) {
      absl::Status status = Look();
      if (status.ok() && !NothingToWatch(plan_)) status = WatchOnce();
      if (!plan_.name().empty() && (NothingToWatch(plan_) || terminal_.interrupt.triggered())) {
        return plan_;
      }
      if (!status.ok() && !MayPass(status)) return status;
      if (!reconnect_.Wait(status)) {
        if (terminal_.interrupt.triggered()) break;
        return status;
      }
    }
    if (plan_.name().empty()) return absl::CancelledError("interrupted before the plan was seen");
    return plan_;
  }

 private:
  absl::Status Look() {
    v1::GetPlanRequest request;
    request.set_name(name_);
    absl::StatusOr<v1::Plan> plan = client_.GetPlan(request);
    if (!plan.ok()) return plan.status();
    reconnect_.Succeeded();
    plan_ = *std::move(plan);
    view_.Show(plan_);
    return absl::OkStatus();
  }

  // Until the stream ends (its status), the plan needs no more watching, or Ctrl-C.
  absl::Status WatchOnce() {
    v1::WatchEventsRequest request;
    request.set_plan(plan_.name());
    request.set_from_sequence(next_sequence_);
    request.set_follow(true);
    const std::unique_ptr<EventStream> stream = client_.WatchEvents(request);
    const Interrupt::Scope scope(terminal_.interrupt, [&stream] { stream->Cancel(); });
    int quiet_ticks = 0;
    while (!terminal_.interrupt.triggered() && !NothingToWatch(plan_)) {
      v1::Event event;
      EventStream::Result result = stream->Next(&event, terminal_.clock.Now() + kTick);
      const bool anything = result == EventStream::Result::kEvent;
      // What is there already is one change to look at.
      while (result == EventStream::Result::kEvent) {
        next_sequence_ = std::max(next_sequence_, event.sequence() + 1);
        result = stream->Next(&event, terminal_.clock.Now());
      }
      if (anything || ++quiet_ticks % kTicksBetweenLooks == 0) {
        if (const absl::Status status = Look(); !status.ok()) return status;
      } else {
        view_.Show(plan_);
      }
      if (result == EventStream::Result::kEnded) {
        // A journal that ends before what was seen: it is told from its beginning.
        if (stream->status().code() == absl::StatusCode::kOutOfRange) next_sequence_ = 0;
        return stream->status();
      }
    }
    return absl::OkStatus();
  }

  const std::string name_;
  Client& client_;
  const Terminal terminal_;
  PlanView& view_;
  Reconnect reconnect_;
  v1::Plan plan_;  // as last seen; without a name: never
  uint64_t next_sequence_ = 0;
};

}  // namespace

Reconnect::Reconnect(Client& client, const Terminal& terminal, std::function<void()> noted)
    : client_(client),
      terminal_(terminal),
      noted_(std::move(noted)),
      backoff_(absl::Milliseconds(100), absl::Seconds(2), 1),
      lost_since_(terminal.clock.SinceBoot()) {}

void Reconnect::Note(const std::string& text) {
  terminal_.console.Note(text);
  if (noted_ != nullptr) noted_();
}

bool Reconnect::Wait(const absl::Status& why) {
  const absl::Duration now = terminal_.clock.SinceBoot();
  if (!std::exchange(lost_, true)) {
    lost_since_ = now;
    Note(absl::StrCat("lost the coordinator at ", client_.address(), " (",
                      why.ok() ? "it ended the stream" : std::string(why.message()),
                      "); what runs goes on without being watched; looking for it again\n"));
  }
  if (now - lost_since_ > kPatience) return false;
  client_.TryNextAddress();
  return !terminal_.interrupt.WaitFor(backoff_.Next());
}

void Reconnect::Succeeded() {
  if (!std::exchange(lost_, false)) return;
  backoff_.Reset();
  Note(absl::StrCat("the coordinator at ", client_.address(), " is back\n"));
}

bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

absl::StatusOr<v1::Plan> FollowPlan(const std::string& name, Client& client,
                                    const Terminal& terminal, PlanView& view) {
  return Follower(name, client, terminal, view).Run();
}

ExitCode FollowToEnd(const std::string& name, const Options& options, Client& client,
                     const Terminal& terminal) {
  const std::unique_ptr<PlanView> view = MakePlanView(options, terminal);
  const absl::StatusOr<v1::Plan> plan = FollowPlan(name, client, terminal, *view);
  if (!plan.ok()) {
    terminal.console.Note(
        absl::StrCat("whatever was started goes on; look again with: baton plan "
                     "show ",
                     ShortPlanId(name), " --watch\n"));
    return Fail(terminal, plan.status());
  }
  const bool goes_on = !NothingToWatch(*plan);
  if (options.output == Output::kJson) {
    terminal.console.Print(ToJson(*plan, true));
  } else if (!goes_on) {
    terminal.console.Print(PlanVerdict(*plan, false));
  }
  if (goes_on) {
    terminal.console.Note(absl::StrCat("\nthe plan is ", Word(plan->state()),
                                       " and goes on without being watched; look again with: baton "
                                       "plan show ",
                                       ShortPlanId(plan->name()), " --watch\n"));
  }
  const bool as_wanted = options.verb == Verb::kPause && plan->paused() && !goes_on;
  return as_wanted ? ExitCode::kDone : CodeOf(*plan);
}

}  // namespace baton
