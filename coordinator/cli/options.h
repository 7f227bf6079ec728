// What was typed, understood.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace baton {

enum class Verb {
  kAbort,
  kAdopt,
  kAgentsAccept,
  kAgentsList,
  kCompletion,
  kEvents,
  kFailback,
  kFailover,
  kHistory,
  kPause,
  kPlanList,
  kPlanShow,
  kProtect,
  kQuarantineList,
  kQuarantineRemove,
  kQuarantineShow,
  kResume,
  kRetry,
  kSkip,
  kStatus,
  kSwitchover,
  kTopologyApply,
  kTopologyShow,
  kTopologyValidate,
};

enum class Output { kTable, kJson };

// Where the disk of a lost host can be read.
struct SalvageSource {
  std::string host;
  std::string directory;
};

struct InstanceName {
  std::string host;
  std::string resource;
};

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
  std::string target;  // of an operator's verb: a pool or a plan
  std::string host;
  std::string file;
  std::string shell;
  std::string reason;
  std::string expected_primary;
  // Someone's word that these are down.
  std::string lost_site;
  std::vector<std::string> lost_hosts;
  std::optional<absl::Duration> allow_loss;  // infinite: any
  std::optional<absl::Duration> max_loss;
  std::vector<std::string> override_rules;
  std::vector<SalvageSource> salvage;
  std::optional<uint64_t> discard_orphans;  // bytes
  std::optional<uint32_t> step;             // as people count, from 1
  InstanceName instance;
  std::string quarantine;
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
