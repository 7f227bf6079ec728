// Looking on while a plan goes its way. The plan is the coordinator's: nothing here moves it.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"

#include "baton/v1/plan.pb.h"
#include "common/base/backoff.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/options.h"
#include "coordinator/cli/plan_view.h"
#include "coordinator/cli/terminal.h"

namespace baton {

// Shows the plan until it has ended or waits for an operator, or until Ctrl-C; returns it as it was
// last seen. A lost coordinator is said on standard error and looked for again, for ten minutes;
// then the error is returned.
absl::StatusOr<v1::Plan> FollowPlan(const std::string& name, Client& client,
                                    const Terminal& terminal, PlanView& view);

// FollowPlan in the form that `options` ask for, its end told, as an exit code.
ExitCode FollowToEnd(const std::string& name, const Options& options, Client& client,
                     const Terminal& terminal);

// Waits between tries to reach a lost coordinator again, and tells of the loss and of its end once
// each.
class Reconnect {
 public:
  // `noted` (may be null) is called after something was told.
  Reconnect(Client& client, const Terminal& terminal, std::function<void()> noted = nullptr);

  // After a failed try. False: give up, because too long went by or someone pressed Ctrl-C.
  bool Wait(const absl::Status& why);
  void Succeeded();

 private:
  void Note(const std::string& text);

  Client& client_;
  const Terminal terminal_;
  const std::function<void()> noted_;
  Backoff backoff_;
  bool lost_ = false;
  absl::Duration lost_since_;
};

// True for errors that a coordinator which is restarted, or another one, may not give.
bool MayPass(const absl::Status& status);

}  // namespace baton
