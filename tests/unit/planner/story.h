// Stories: a compact text of topology and observations in, a plan or its refusals out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/model/goal.h"
#include "coordinator/model/snapshot.h"
#include "coordinator/planner/planner.h"

namespace baton::testing {

// A pool under observation, changed line by line. Lines (hosts lie at the site before their first
// '-'; the pool is called "pool", each database's service has its name, chat services are "chat"):
//   pool NAME=VALUE…                      begins anew; loss=, active=, link=near|far, fencing=lease
//   database NAME PRIMARY BACKUP [ignore] [service=S] [mode=streaming] [share=S]
//   mirror NAME HOST                      a primary_mirror
//   chat HOST [active]
//   adopted EPOCH HOST…                   journal: which instances write, which chat servers serve
//   healthy                               everything is seen as journal and topology want it
//   see HOST/SERVICE KEY=VALUE…           changes one observation
//   unseen HOST/SERVICE                   its agent does not report it
//   away|back HOST…                       their agents are not, are again connected
//   clock HOST TIME|unknown               its own clock is so far ahead, or not known
//   right DATABASE KEY[=VALUE]…           changes what the journal has: between (nobody holds it),
//                                         followers=[HOST], sealed=POSITION, fork=POSITION
//   due HOST/SERVICE EPOCH                to be fenced when it comes back
//   fenced HOST/SERVICE                   it came back and was fenced
//   quarantined HOST/SERVICE NAME         its host keeps that quarantine
//   running PLAN                          a plan of the pool has not ended
//   plan KIND [expected=HOST] [lost_site=SITE] [lost=HOST]… [allow=TIME|any] [max=TIME]
//        [override=RULE]… [salvage=HOST:DIR] [discard=BYTES] [of=HOST/SERVICE name=NAME]
//                                         prints the plan or the refusals
//   losses                                prints what would be lost with the serving site now
//   succeed [COUNT]                       the plan of the last `plan` succeeded in every step, or
//                                         in those before COUNT
class Story {
 public:
  // What the line prints; empty for most. Ends the test program on a line it does not understand.
  std::string Run(std::string_view line);

  const Snapshot& seen() const { return seen_; }
  const std::optional<Plan>& plan() const { return planned_.plan; }

 private:
  void Begin(const std::vector<std::string>& words);
  void AddDatabase(const std::vector<std::string>& words);
  void AddHost(const HostId& host);
  void Adopt(const std::vector<std::string>& words);
  void LookHealthy();
  void See(const std::vector<std::string>& words);
  std::string MakeThePlan(const std::vector<std::string>& words);
  void ChangeRight(const std::vector<std::string>& words);
  Goal GoalOf(const std::vector<std::string>& words);
  std::string TellLosses();
  void Succeed(const std::vector<std::string>& words);

  Topology topology_;
  Snapshot seen_;
  Planned planned_;
  int plans_ = 0;
};

// The plan as the golden files have it.
std::string Print(const Plan& plan);

}  // namespace baton::testing
