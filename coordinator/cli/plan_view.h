// A plan under way, shown as it goes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"

#include "baton/v1/plan.pb.h"
#include "coordinator/cli/options.h"
#include "coordinator/cli/terminal.h"

namespace baton {

class PlanView {
 public:
  virtual ~PlanView() = default;
  // The plan as it is now: after each change, and about once a second without one.
  virtual void Show(const v1::Plan& plan) = 0;
  // Something else was printed: what was drawn stays above it.
  virtual void BeginAnew() {}
};

// A terminal gets lines that are redrawn, a pipe a line for each step that ends or takes long, JSON
// nothing. `terminal`'s parts outlive the view.
std::unique_ptr<PlanView> MakePlanView(const Options& options, const Terminal& terminal);

// How long each step has run since it was first seen running, by this host's clock alone.
class RunningSince {
 public:
  absl::Duration Elapsed(const v1::Step& step, absl::Duration now);

 private:
  std::map<std::pair<uint32_t, uint32_t>, absl::Duration> first_seen_;  // step, attempt
};

// One frame of the live view: at most `size` large. `elapsed` of a step that is running.
std::string PlanFrame(const v1::Plan& plan, Console::Size size,
                      const std::map<uint32_t, absl::Duration>& elapsed);

}  // namespace baton
