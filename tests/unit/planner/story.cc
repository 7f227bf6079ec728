#include "tests/unit/planner/story.h"

#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/base/strings.h"
#include "coordinator/executor/execution.h"
#include "coordinator/planner/losses.h"
#include "tests/unit/planner/plan_rules.h"
#include "tests/unit/planner/story_words.h"

namespace baton::testing {

void Story::Begin(const std::vector<std::string>& words) {
  topology_ = Topology();
  seen_ = Snapshot();
  planned_ = Planned();
  seen_.as_of = kNow;
  Pool& pool = topology_.pools[PoolId(kPool)];
  pool.id = PoolId(kPool);
  pool.home = SiteId("hq");
  pool.backup = SiteId("dr");
  pool.limits.loss = DurationOf(ValueOf(words, "loss", "30s"));
  if (!absl::SimpleAtoi(ValueOf(words, "active", "1"), &pool.limits.active_servers)) Die("active");
  if (ValueOf(words, "fencing") == "lease") pool.fencing = FencingPolicy::kLease;
  for (const char* site : {"hq", "dr"}) {
    topology_.sites[SiteId(site)] = {SiteId(site), site, false};
    const ShareId share(absl::StrCat(site, "-logs"));
    topology_.shares[share] = {share, SiteId(site), absl::StrCat("/srv/", share.value())};
  }
  if (ValueOf(words, "link") == "near") {
    topology_.links.push_back({SiteId("hq"), SiteId("dr"), LinkKind::kNear});
  }
}

void Story::AddHost(const HostId& host) {
  topology_.hosts[host] = {host, SiteOfName(host), false};
  seen_.agents[host].connected = true;
  seen_.agents[host].clock.Tell(kNow, absl::ZeroDuration());
}

void Story::AddDatabase(const std::vector<std::string>& words) {
  Database database;
  database.id = DatabaseId(words.at(1));
  database.engine = "postgresql";
  if (Has(words, "ignore")) database.policy = DatabasePolicy::kIgnore;
  if (ValueOf(words, "mode") == "streaming") database.shipping_mode = ShippingMode::kStreaming;
  const ResourceId service(ValueOf(words, "service", words.at(1)));
  for (const size_t i : {2, 3}) {
    const HostId host(words.at(i));
    if (host.value() == "-") continue;
    AddHost(host);
    const std::string share =
        ValueOf(words, "share", absl::StrCat(SiteOfName(host).value(), "-logs"));
    database.instances.push_back(
        {i == 2 ? InstanceRole::kPrimary : InstanceRole::kBackup, host, service, ShareId(share)});
  }
  topology_.pools[PoolId(kPool)].databases.push_back(database);
}

void Story::Adopt(const std::vector<std::string>& words) {
  PoolState& state = seen_.pools[PoolId(kPool)];
  state.adopted = true;
  state.epoch = EpochOf(words.at(1));
  for (size_t i = 2; i < words.size(); ++i) {
    const HostId host(words[i]);
    bool writes = false;
    for (const Database& database : topology_.pools[PoolId(kPool)].databases) {
      const Instance* writer = database.OnHost(host);
      if (database.policy == DatabasePolicy::kIgnore || writer == nullptr) continue;
      writes = true;
      WriteRight& right = state.rights[database.id];
      right.writer = host;
      right.system_id = kSystemId;
      right.lineages = {{kSystemId, state.epoch, host, writer->share, std::nullopt}};
      right.followers.clear();
      for (const Instance& other : database.instances) {
        const bool plain =
            other.role == InstanceRole::kPrimary || other.role == InstanceRole::kBackup;
        if (plain && other.host != host) right.followers.insert(other.host);
      }
    }
    if (!writes) state.active_chat[{host, ResourceId("chat")}] = state.epoch;
  }
}

void Story::ChangeRight(const std::vector<std::string>& words) {
  PoolState& state = seen_.pools[PoolId(kPool)];
  WriteRight& right = state.rights[DatabaseId(words.at(1))];
  for (size_t i = 2; i < words.size(); ++i) {
    const std::vector<std::string> parts = absl::StrSplit(words[i], '=');
    const std::string value = parts.size() < 2 ? "" : parts[1];
    if (parts[0] == "between") {
      right.writer = HostId();
    } else if (parts[0] == "followers") {
      right.followers.clear();
      if (!value.empty()) right.followers.insert(HostId(value));
    } else if (parts[0] == "sealed") {
      right.lineages.back().sealed = PositionOf(value);
    } else if (parts[0] == "fork") {
      right.fork = PositionOf(value);
    } else {
      Die(words[i]);
    }
  }
}

Goal Story::GoalOf(const std::vector<std::string>& words) {
  Goal goal;
  bool known = false;
  for (PlanKind kind : {PlanKind::kAdopt, PlanKind::kSwitchover, PlanKind::kFailover,
                        PlanKind::kFailback, PlanKind::kProtect, PlanKind::kRemoveQuarantine}) {
    if (std::string(ToString(kind)) != words.at(1)) continue;
    goal.kind = kind;
    known = true;
  }
  if (!known) Die(words.at(1));
  goal.pool = PoolId(ValueOf(words, "pool", kPool));
  goal.reason = "story";
  goal.requested_by = "tester";
  goal.expected_primary = HostId(ValueOf(words, "expected"));
  goal.plan_id = PlanId(absl::StrCat("p", ++plans_));
  for (size_t i = 2; i < words.size(); ++i) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(words[i], absl::MaxSplits('=', 1));
    const auto& [key, value] = parts;
    if (key == "lost_site") {
      goal.lost_site = SiteId(value);
    } else if (key == "lost") {
      goal.lost_hosts.push_back(HostId(value));
    } else if (key == "allow") {
      goal.allow_loss = value == "any" ? absl::InfiniteDuration() : DurationOf(value);
    } else if (key == "max") {
      goal.max_loss = DurationOf(value);
    } else if (key == "override") {
      goal.override_rules.insert(value);
    } else if (key == "salvage") {
      const std::pair<std::string, std::string> where =
          absl::StrSplit(value, absl::MaxSplits(':', 1));
      goal.salvage[HostId(where.first)] = where.second;
    } else if (key == "discard") {
      goal.discard_orphans.emplace();
      if (!absl::SimpleAtoi(value, &*goal.discard_orphans)) Die(value);
    } else if (key == "of") {
      goal.quarantine_of = RefOf(value);
    } else if (key == "name") {
      goal.quarantine = value;
    } else if (key != "expected" && key != "pool") {
      Die(words[i]);
    }
  }
  return goal;
}

std::string Story::MakeThePlan(const std::vector<std::string>& words) {
  const Goal goal = GoalOf(words);
  seen_.topology = std::make_shared<const Topology>(topology_);
  planned_ = MakePlan(seen_, goal, Policy());
  if (planned_.plan.has_value()) {
    std::string text = Print(*planned_.plan);
    for (const std::string& broken : BrokenRules(*planned_.plan, seen_)) {
      absl::StrAppend(&text, "BROKEN: ", broken, "\n");
    }
    return text;
  }
  std::string text = "refused\n";
  for (const Refusal& refusal : planned_.refusals) {
    absl::StrAppend(&text, "- ", Describe(refusal), "\n");
  }
  return text;
}

std::string Story::TellLosses() {
  seen_.topology = std::make_shared<const Topology>(topology_);
  std::string text;
  for (const AnnouncedLoss& loss : LossesNow(seen_, topology_.pools[PoolId(kPool)])) {
    absl::StrAppend(&text, Describe(loss), "\n");
  }
  return text;
}

void Story::Succeed(const std::vector<std::string>& words) {
  const Plan& plan = *planned_.plan;
  PoolState& state = seen_.pools[plan.pool];
  size_t end = plan.steps.size();
  if (words.size() > 1 && !absl::SimpleAtoi(words[1], &end)) Die(words[1]);
  for (size_t i = 0; i < end; ++i) {
    if (plan.steps[i].undo) continue;
    const int step = static_cast<int>(i);
    Record record;
    if (plan.steps[i].raises_epoch()) {
      record.fact = EpochRaised{plan.id, plan.pool, step, plan.epoch};
      Evolve(state, plan, record);
      continue;
    }
    record.fact = StepStarted{plan.id, step, 1, MakeCommandId(plan.id, step, 1)};
    Evolve(state, plan, record);
    Outcome outcome = OkOutcome();
    outcome.position = LogPosition{static_cast<uint32_t>(plan.epoch.counter), 0x3000060};
    record.fact = StepFinished{plan.id, step, 1, outcome};
    Evolve(state, plan, record);
  }
}

std::string Story::Run(std::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(ToAbsl(line), ' ', absl::SkipEmpty());
  if (words.empty() || words[0][0] == '#') return "";
  if (words[0] == "pool") {
    Begin(words);
  } else if (words[0] == "database") {
    AddDatabase(words);
  } else if (words[0] == "mirror") {
    AddHost(HostId(words.at(2)));
    topology_.pools[PoolId(kPool)].databases.back().instances.push_back(
        {InstanceRole::kPrimaryMirror, HostId(words.at(2)), ResourceId(words.at(1)),
         ShareId("hq-logs")});
  } else if (words[0] == "chat") {
    AddHost(HostId(words.at(1)));
    topology_.pools[PoolId(kPool)].chat_servers.push_back(
        {HostId(words.at(1)), ResourceId("chat"), Has(words, "active")});
  } else if (words[0] == "adopted") {
    Adopt(words);
  } else if (words[0] == "healthy") {
    LookHealthy();
  } else if (words[0] == "see") {
    See(words);
  } else if (words[0] == "unseen") {
    seen_.resources.erase(RefOf(words.at(1)));
  } else if (words[0] == "away" || words[0] == "back") {
    for (size_t i = 1; i < words.size(); ++i) {
      seen_.agents[HostId(words[i])].connected = words[0] == "back";
    }
  } else if (words[0] == "clock") {
    HostClock clock;
    if (words.at(2) != "unknown") clock.Tell(kNow + DurationOf(words[2]), absl::ZeroDuration());
    seen_.agents[HostId(words.at(1))].clock = clock;
  } else if (words[0] == "running") {
    seen_.running[PoolId(kPool)] = PlanId(words.at(1));
  } else if (words[0] == "plan") {
    return MakeThePlan(words);
  } else if (words[0] == "succeed") {
    Succeed(words);
  } else if (words[0] == "right") {
    ChangeRight(words);
  } else if (words[0] == "due") {
    seen_.pools[PoolId(kPool)].fence_due[RefOf(words.at(1))] = EpochOf(words.at(2));
  } else if (words[0] == "fenced") {
    seen_.pools[PoolId(kPool)].fence_due.erase(RefOf(words.at(1)));
  } else if (words[0] == "quarantined") {
    auto& seen =
        std::get<DatabaseObservation>(seen_.resources[RefOf(words.at(1))].observation.detail);
    seen.quarantine.emplace_back().name = words.at(2);
  } else if (words[0] == "losses") {
    return TellLosses();
  } else {
    Die(line);
  }
  return "";
}

}  // namespace baton::testing
