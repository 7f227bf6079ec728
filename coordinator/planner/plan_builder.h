// Puts steps together.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coordinator/model/goal.h"
#include "coordinator/model/plan.h"
#include "coordinator/model/snapshot.h"
#include "coordinator/model/topology.h"
#include "coordinator/planner/preflight.h"

namespace baton {

using StepList = std::vector<int>;  // indexes of steps

// A plan that grows step by step. Depend on what was added before. Steps that only look at a chat
// server, canaries and salvage may be skipped by an operator; everything else is for the caller to
// allow.
class PlanBuilder {
 public:
  // Takes over what the goal says; the caller sets epochs and sites.
  explicit PlanBuilder(const Inquiry& ask);

  // Adds a step that may start when all of `after` have succeeded; returns its index. The returned
  // reference of Last() refines it.
  int Add(const ResourceRef& target, Action action, std::string title, StepList after);
  int AddForDatabase(const Database& database, const Instance& instance, Action action,
                     std::string title, StepList after);
  int AddEpoch(const Epoch& epoch, bool undo, StepList after);

  // "TITLE DATABASE on HOST".
  int OnDatabase(const Database& database, const Instance& instance, Action action,
                 const char* title, StepList after);
  int Point(const ResourceRef& server, const HostId& instance, StepList after);
  int Activate(const ResourceRef& server, StepList after);
  int Canary(const ResourceRef& server, StepList after);
  int StartStandby(const Database& database, const Instance& instance, std::vector<Lineage> fetch,
                   StepList after);

  // Of a drained and deactivated server; users wait for both.
  struct Quiet {
    int drain = 0;
    int deactivate = 0;
  };
  Quiet Silence(const ResourceRef& server, StepList after);

  // An instance that wrote before takes its right back out of its own log, under `write`
  // (protocol.md "Undo after the tail was shipped").
  struct TakeBack {
    int fence = 0;
    int recover = 0;
  };
  TakeBack GiveBack(const Database& database, const Instance& instance, const Lineage& write,
                    StepList after);

  // Of a step that is bound by how much data there is.
  absl::Duration CopyTimeout() const;

  Step& Last() { return plan_.steps.back(); }
  Step& At(int index) { return plan_.steps[index]; }

  Plan& plan() { return plan_; }
  Plan Take() { return std::move(plan_); }

 private:
  absl::Duration TimeoutOf(const Action& action) const;

  const Policy& policy_;
  Plan plan_;
};

}  // namespace baton
