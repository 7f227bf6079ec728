#include "coordinator/executor/execution.h"

#include <charconv>
#include <set>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace baton {

std::string_view ToString(StepState state) {
  switch (state) {
    case StepState::kPending:
      return "pending";
    case StepState::kRunning:
      return "running";
    case StepState::kUnknown:
      return "unknown";
    case StepState::kSucceeded:
      return "succeeded";
    case StepState::kFailed:
      return "failed";
    case StepState::kSkipped:
      return "skipped";
  }
  return "invalid";
}

std::string_view ToString(Verb verb) {
  switch (verb) {
    case Verb::kPause:
      return "pause";
    case Verb::kResume:
      return "resume";
    case Verb::kRetry:
      return "retry";
    case Verb::kSkip:
      return "skip";
    case Verb::kAbort:
      return "abort";
  }
  return "invalid";
}

std::optional<LogPosition> Execution::PositionOf(int step) const {
  const StepExecution& of = steps[step];
  if (of.state != StepState::kSucceeded || of.outcome == nullptr) return std::nullopt;
  return of.outcome->position;
}

CommandId Execution::CommandOf(int step) const {
  if (steps[step].attempt == 0 || plan->steps[step].raises_epoch()) return CommandId();
  return MakeCommandId(plan->id, step, steps[step].attempt);
}

bool Execution::EpochRaisedFor(bool undo) const {
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = plan->steps[i];
    if (step.raises_epoch() && step.undo == undo) return steps[i].state == StepState::kSucceeded;
  }
  return false;
}

Epoch Execution::EpochOf(const Step& step) const {
  if (step.undo) return plan->undo_epoch;
  return EpochRaisedFor(false) ? plan->epoch : plan->epoch_before;
}

std::vector<PlanEvent> PresenceOf(const Execution& now,
                                  const std::function<bool(const HostId&)>& connected) {
  std::vector<PlanEvent> news;
  if (now.plan == nullptr || Terminal(now.state)) return news;
  std::set<HostId> hosts;
  for (const auto& [ref, epoch] : now.fence_due) hosts.insert(ref.host);
  for (const ResourceRef& ref : now.plan->fence_on_return) hosts.insert(ref.host);
  for (const HostId& host : hosts) {
    const auto noted = now.returned.find(host);
    const bool answered = noted != now.returned.end() && noted->second == ReturnState::kAnswers;
    const bool answers = connected(host);
    if (answers && !answered) news.push_back(HostAnswers{host});
    if (!answers && answered) news.push_back(HostLost{host});
  }
  return news;
}

CommandId MakeCommandId(const PlanId& plan, int step, int attempt) {
  return CommandId(absl::StrCat(plan.value(), "/", step, "/", attempt));
}

namespace {

// As absl::StrCat writes it, and nothing else: no sign, no blank, no leading zero.
bool ParseCount(std::string_view text, int* count) {
  if (text.empty() || (text.front() == '0' && text.size() > 1)) return false;
  if (text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *count);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<CommandName> ParseCommandId(const CommandId& id) {
  const std::string_view text = id.value();
  const size_t last = text.rfind('/');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const size_t middle = text.rfind('/', last - 1);
  if (middle == std::string_view::npos) return std::nullopt;
  CommandName name;
  if (!ParseCount(text.substr(middle + 1, last - middle - 1), &name.step) ||
      !ParseCount(text.substr(last + 1), &name.attempt)) {
    return std::nullopt;
  }
  name.plan = PlanId(std::string(text.substr(0, middle)));
  return name;
}

}  // namespace baton
