// What was typed, understood.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace baton {

enum class Verb {
  kAdopt,
  kAgentsAccept,
  kAgentsList,
  kCompletion,
  kEvents,
  kHistory,
  kPlanList,
  kPlanShow,
  kResume,
  kStatus,
  kSwitchover,
  kTopologyApply,
  kTopologyShow,
  kTopologyValidate,
};

enum class Output { kTable, kJson };

struct Options {
  Verb verb = Verb::kStatus;
  // Global.
  std::vector<std::string> coordinators;  // addresses, tried in turn; never empty
  Output output = Output::kTable;
  absl::Duration timeout = absl::Seconds(30);  // for one answer of the coordinator
  bool yes = false;                            // asks nothing
  // What a verb is about; empty when it takes none.
  std::string pool;
  std::string plan;
  std::string target;  // resume: a pool or a plan
  std::string host;
  std::string file;
  std::string shell;
  std::string reason;
  std::string expected_primary;
  uint64_t from_sequence = 0;
  uint32_t limit = 0;  // 0: the coordinator's own
  bool allow_coordinator_at_home = false;
  bool dry_run = false;
  bool follow = false;
  bool no_wait = false;
  bool offline = false;
  bool watch = false;
  // Not typed. Who asks: "alice@ops1".
  std::string requested_by;
  // Fresh for each invocation: the coordinator lets a change that is asked for twice happen once.
  std::string request_id;
};

}  // namespace baton
