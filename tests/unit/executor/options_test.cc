// No state without a way on: every state that a plan can get into by answers, silence and
// operators' words has something under way whose time is limited, or an option; and abort always
// leads out.
#include "coordinator/executor/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

#include "tests/unit/executor/sim.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Looked at of each plan; there are more.
constexpr size_t kStatesMax = 2500;

// An execution and the steps whose time is running.
struct Node {
  Execution state;
  std::set<int> armed;

  std::string Key() const {
    std::string key = absl::StrCat(static_cast<int>(state.state), state.undoing, state.paused,
                                   state.aborting, ":");
    for (const StepExecution& step : state.steps) {
      absl::StrAppend(&key, static_cast<int>(step.state), step.attempt > 0,
                      std::min(step.attempts_since_resume, 3), ",");
    }
    for (const int step : armed) absl::StrAppend(&key, " ", step);
    return key;
  }
  std::string Tell() const {
    std::string text = absl::StrCat(std::string(ToString(state.state)), " undoing=", state.undoing,
                                    " paused=", state.paused, " aborting=", state.aborting, " [",
                                    state.waiting_for, "]");
    for (size_t i = 0; i < state.steps.size(); ++i) {
      absl::StrAppend(&text, "\n  ", i, " ", state.plan->steps[i].title, ": ",
                      std::string(ToString(state.steps[i].state)), " ", state.steps[i].attempt);
    }
    return text;
  }
};

Node After(const Node& before, const PlanEvent& event) {
  Node node = before;
  if (const auto* timeout = std::get_if<StepTimedOut>(&event)) node.armed.erase(timeout->step);
  const Decision decision = Decide(node.state, event);
  for (const Fact& fact : decision.facts) {
    Evolve(node.state, Record{1, absl::UnixEpoch(), fact});
    if (const auto* finished = std::get_if<StepFinished>(&fact)) node.armed.erase(finished->step);
    if (std::holds_alternative<PlanEnded>(fact)) node.armed.clear();
  }
  for (const StartTimer& timer : decision.timers) node.armed.insert(timer.step);
  return node;
}

Outcome Answer(OutcomeCode code) {
  Outcome outcome;
  outcome.code = code;
  if (code == OutcomeCode::kOk) outcome.position = LogPosition{1, 0x3000060};
  return outcome;
}

std::vector<PlanEvent> EventsOf(const Node& node) {
  std::vector<PlanEvent> events;
  for (size_t i = 0; i < node.state.steps.size(); ++i) {
    const StepExecution& step = node.state.steps[i];
    const int index = static_cast<int>(i);
    if (node.armed.contains(index)) events.emplace_back(StepTimedOut{index, step.attempt});
    if (step.state != StepState::kRunning && step.state != StepState::kUnknown) continue;
    const CommandId command = node.state.CommandOf(index);
    for (const OutcomeCode code :
         {OutcomeCode::kOk, OutcomeCode::kFailed, OutcomeCode::kCancelled, OutcomeCode::kUnknown}) {
      events.emplace_back(CommandEnded{command, Answer(code)});
    }
  }
  for (const PlanOption& option : OptionsFor(node.state)) {
    events.emplace_back(OperatorRequest{option.verb, option.step, "me", "why", ""});
  }
  return events;
}

// What is allowed does something, what is not does nothing.
void CheckOptions(const Node& node) {
  for (const PlanOption& option : OptionsFor(node.state)) {
    EXPECT_FALSE(option.effect.empty());
    const OperatorRequest request{option.verb, option.step, "me", "why", ""};
    EXPECT_EQ(Resolve(node.state, request).ok(), option.allowed);
    EXPECT_EQ(Decide(node.state, request).facts.empty(), !option.allowed)
        << ToString(option.verb) << " " << option.step.value_or(-1) << "\n"
        << node.Tell();
  }
}

// Nobody answers any more, and the operator aborts until the plan has ended.
void CheckAbortLeadsOut(Node node) {
  for (int i = 0; i < 12 && !Terminal(node.state.state); ++i) {
    if (node.armed.empty()) {
      node = After(node, OperatorRequest{Verb::kAbort, std::nullopt, "me", "out", ""});
    }
    for (const int step : std::set<int>(node.armed)) {
      node = After(node, StepTimedOut{step, node.state.steps[step].attempt});
    }
  }
  EXPECT_TRUE(Terminal(node.state.state)) << node.Tell();
}

// One after the other, but for what runs beside the users: what goes on in parallel multiplies the
// states and adds little to them.
Plan Chained(Plan plan) {
  for (size_t i = 1; i < plan.steps.size(); ++i) {
    Step& step = plan.steps[i];
    if (step.undo != plan.steps[i - 1].undo || plan.steps[i - 1].skippable) continue;
    step.after.push_back(static_cast<int>(i) - 1);
  }
  return plan;
}

void WalkAll(const Plan& parallel) {
  const Plan plan = Chained(parallel);
  Node first;
  Evolve(first.state, Record{1, absl::UnixEpoch(), PlanAdmitted{std::make_shared<Plan>(plan)}});
  std::vector<Node> open = {After(first, Proceed{})};
  std::set<std::string> seen = {open.front().Key()};
  size_t waiting = 0;
  std::mt19937_64 dice(1);
  for (size_t i = 0; i < kStatesMax && !open.empty() && !::testing::Test::HasFailure(); ++i) {
    // Half of them deep, half of them anywhere.
    const size_t pick = i % 2 == 0 ? open.size() - 1 : dice() % open.size();
    std::swap(open[pick], open.back());
    const Node node = std::move(open.back());
    open.pop_back();
    if (Terminal(node.state.state)) {
      EXPECT_FALSE(node.state.end_text.empty());
      EXPECT_THAT(OptionsFor(node.state), IsEmpty());
      continue;
    }
    bool allowed = false;
    for (const PlanOption& option : OptionsFor(node.state)) allowed |= option.allowed;
    ASSERT_TRUE(allowed || !node.armed.empty()) << "stuck: " << node.Tell();
    if (node.state.state == PlanState::kWaiting) {
      ++waiting;
      ASSERT_TRUE(allowed) << node.Tell();
      ASSERT_THAT(node.state.waiting_for, HasSubstr("baton resume"));
    } else {
      ASSERT_FALSE(node.armed.empty()) << "runs, and nothing is under way: " << node.Tell();
    }
    CheckOptions(node);
    CheckAbortLeadsOut(node);
    for (const PlanEvent& event : EventsOf(node)) {
      Node next = After(node, event);
      if (seen.insert(next.Key()).second) open.push_back(std::move(next));
    }
  }
  std::cout << ToString(plan.kind) << ": " << seen.size() << " states seen, " << waiting
            << " waiting" << std::endl;
}

TEST(OptionsTest, EveryStateOfAnAdoptionHasAWayOn) { WalkAll(SmallAdopt()); }
TEST(OptionsTest, EveryStateOfASwitchoverHasAWayOn) { WalkAll(SmallSwitchover()); }
TEST(OptionsTest, EveryStateOfAFailoverHasAWayOn) { WalkAll(SmallFailover()); }

TEST(OptionsTest, SaysWhatEachVerbWouldDo) {
  Node node;
  Evolve(node.state,
         Record{1, absl::UnixEpoch(), PlanAdmitted{std::make_shared<Plan>(SmallFailover())}});
  node = After(node, Proceed{});
  const auto effect = [&](Verb verb) {
    for (const PlanOption& option : OptionsFor(node.state)) {
      if (option.verb == verb) return option.effect;
    }
    return std::string("none");
  };
  const auto end = [&](int step, OutcomeCode code) {
    node = After(node, CommandEnded{node.state.CommandOf(step), Answer(code)});
  };
  EXPECT_THAT(effect(Verb::kAbort), HasSubstr("nothing was moved"));
  EXPECT_EQ(effect(Verb::kResume), "it does not wait");
  EXPECT_EQ(effect(Verb::kSkip), "none");
  end(0, OutcomeCode::kOk);
  end(1, OutcomeCode::kOk);
  EXPECT_THAT(effect(Verb::kAbort), HasSubstr("dr-sql1 was not given the right to write mgc"));
  end(3, OutcomeCode::kRefused);
  EXPECT_EQ(node.state.state, PlanState::kWaiting);
  EXPECT_THAT(effect(Verb::kSkip), HasSubstr("safety stands on this step"));
  EXPECT_THAT(effect(Verb::kRetry), HasSubstr("tries it anew"));
  node = After(node, OperatorRequest{Verb::kRetry, std::nullopt, "me", "mended", ""});
  for (const int step : {3, 4, 5, 6, 7}) end(step, OutcomeCode::kOk);
  end(8, OutcomeCode::kRefused);
  EXPECT_EQ(effect(Verb::kSkip), "goes on without it, on your word");
  EXPECT_THAT(effect(Verb::kAbort), HasSubstr("mgc is written on dr-sql1"));
  node = After(node, OperatorRequest{Verb::kSkip, 8, "me", "no canary here", ""});
  EXPECT_EQ(node.state.state, PlanState::kSucceeded);
}

TEST(OptionsTest, CountsStepsFromOneForPeople) {
  Execution state;
  Evolve(state,
         Record{1, absl::UnixEpoch(), PlanAdmitted{std::make_shared<Plan>(SmallFailover())}});
  const auto told = [&](Verb verb, std::optional<int> step) {
    return std::string(Resolve(state, {verb, step, "me", "why", ""}).status().message());
  };
  EXPECT_THAT(told(Verb::kRetry, 9), HasSubstr("found 10, wanted one of 1 to 9"));
  EXPECT_THAT(told(Verb::kRetry, 1 << 30), HasSubstr("wanted one of 1 to 9"));
  EXPECT_THAT(told(Verb::kSkip, 8), HasSubstr("step 9 (\"Canary\") is pending"));
  state.state = PlanState::kWaiting;
  state.steps[3].state = state.steps[4].state = StepState::kFailed;
  EXPECT_THAT(told(Verb::kRetry, std::nullopt), HasSubstr("--step 4 or another"));
}

}  // namespace
}  // namespace baton::testing
