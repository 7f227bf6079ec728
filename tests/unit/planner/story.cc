#include "tests/unit/planner/story.h"

#include <cstdlib>
#include <iostream>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "common/base/strings.h"
#include "coordinator/executor/execution.h"

namespace baton::testing {
namespace {

constexpr char kPool[] = "pool";
constexpr char kSystemId[] = "7001";
const absl::Time kNow = absl::FromUnixSeconds(1700000000);

[[noreturn]] void Die(std::string_view line) {
  std::cerr << "a story has a line that nobody understands: " << line << std::endl;
  std::abort();
}

// The value of KEY=… among `words`.
std::string ValueOf(const std::vector<std::string>& words, const std::string& key,
                    std::string otherwise = "") {
  for (const std::string& word : words) {
    if (word.rfind(key + "=", 0) == 0) return word.substr(key.size() + 1);
  }
  return otherwise;
}
bool Has(const std::vector<std::string>& words, const std::string& word) {
  for (const std::string& each : words) {
    if (each == word) return true;
  }
  return false;
}
Epoch EpochOf(const std::string& text) { return *ParseEpoch(text); }
absl::Duration DurationOf(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) Die(text);
  return duration;
}
ResourceRef RefOf(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  return {HostId(parts.at(0)), ResourceId(parts.at(1))};
}
SiteId SiteOfName(const HostId& host) {
  return SiteId(host.value().substr(0, host.value().find('-')));
}

FencePhase PhaseOf(const std::string& text) {
  for (FencePhase phase :
       {FencePhase::kOpen, FencePhase::kUnconfirmed, FencePhase::kClosing, FencePhase::kClosed}) {
    if (text == std::string(ToString(phase))) return phase;
  }
  Die(text);
}
DatabaseState DatabaseStateOf(const std::string& text) {
  for (DatabaseState state :
       {DatabaseState::kUnknown, DatabaseState::kDown, DatabaseState::kStarting,
        DatabaseState::kStandby, DatabaseState::kPrimary}) {
    if (text == std::string(ToString(state))) return state;
  }
  Die(text);
}
ChatState ChatStateOf(const std::string& text) {
  for (ChatState state :
       {ChatState::kUnknown, ChatState::kDown, ChatState::kDraining, ChatState::kServing}) {
    if (text == std::string(ToString(state))) return state;
  }
  Die(text);
}

void Change(DatabaseObservation& seen, const std::string& key, const std::string& value) {
  if (key == "state") {
    seen.state = DatabaseStateOf(value);
  } else if (key == "clean") {
    seen.clean_shutdown = value == "yes";
  } else if (key == "signal") {
    seen.standby_signal = value == "yes";
  } else if (key == "archiving") {
    seen.archiving = value == "yes";
  } else if (key == "failure") {
    seen.archive_failure = value;
  } else if (key == "system_id") {
    seen.system_id = value;
  } else if (key == "version") {
    seen.version = value;
  } else if (key == "lag") {
    seen.lag = DurationOf(value);
  } else if (key == "lag_bytes") {
    if (!absl::SimpleAtoi(value, &seen.lag_bytes)) Die(value);
  } else if (key == "position") {
    const absl::StatusOr<LogPosition> position = ParseLogPosition(value);
    if (!position.ok()) Die(value);
    seen.position = *position;
  } else if (key == "problem") {
    seen.problem = value;
  } else {
    Die(key);
  }
}

void Change(ChatObservation& seen, const std::string& key, const std::string& value) {
  if (key == "state") {
    seen.state = ChatStateOf(value);
  } else if (key == "points_at") {
    seen.points_at = HostId(value);
  } else if (key == "problem") {
    seen.problem = value;
  } else {
    Die(key);
  }
}

std::string Print(const Lineage& lineage) {
  return absl::StrCat(lineage.epoch.ToString(), "-", lineage.instance.value(), "@",
                      lineage.share.value(),
                      lineage.sealed.has_value() ? "!" + lineage.sealed->ToString() : "");
}
std::string Print(const std::vector<Lineage>& fetch) {
  std::vector<std::string> parts;
  for (const Lineage& lineage : fetch) parts.push_back(Print(lineage));
  return absl::StrJoin(parts, ",");
}

std::string PrintAction(const Step& step) {
  if (step.raises_epoch()) return "RaiseEpoch";
  const Action& action = *step.action();
  std::string text = absl::StrCat(step.target.ToString(), " ", Describe(action));
  if (const auto* check = std::get_if<CheckDatabase>(&action)) {
    absl::StrAppend(&text, check->checkpoint ? " checkpoint" : "",
                    check->running ? "" : " or-stopped", " id=", check->system_id);
  } else if (const auto* look = std::get_if<CheckChat>(&action)) {
    absl::StrAppend(&text, look->running ? " running" : " stopped");
  } else if (const auto* copy = std::get_if<CopyPendingLogs>(&action)) {
    absl::StrAppend(&text, " fetch=", Print(copy->fetch));
  } else if (const auto* standby = std::get_if<StartStandby>(&action)) {
    absl::StrAppend(&text, " fetch=", Print(standby->fetch));
  } else if (const auto* recover = std::get_if<Recover>(&action)) {
    absl::StrAppend(&text, " write=", Print(recover->write));
  } else if (const auto* unfence = std::get_if<Unfence>(&action)) {
    absl::StrAppend(&text, " write=", Print(unfence->write));
  }
  return text;
}

}  // namespace

std::string Print(const Plan& plan) {
  std::string text =
      absl::StrCat(std::string(ToString(plan.kind)), " ", plan.from_site.value(), " -> ",
                   plan.to_site.value(), ", epoch ", plan.epoch_before.ToString(), " -> ",
                   plan.epoch.ToString(), ", undo ", plan.undo_epoch.ToString(), "\n");
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    absl::StrAppend(&text, i < 10 ? " " : "", i, step.undo ? " undo" : "",
                    step.critical ? " *" : "", " ", step.title);
    if (!step.documented_as.empty()) absl::StrAppend(&text, " [", step.documented_as, "]");
    absl::StrAppend(&text, "\n     ", PrintAction(step));
    if (step.input_from.has_value()) absl::StrAppend(&text, " input from ", *step.input_from);
    absl::StrAppend(&text, "; ", absl::FormatDuration(step.timeout), ", tries ",
                    step.automatic_tries);
    if (!step.after.empty()) absl::StrAppend(&text, "; after ", absl::StrJoin(step.after, " "));
    absl::StrAppend(&text, "\n");
  }
  for (const std::string& line : plan.explanation) absl::StrAppend(&text, "why: ", line, "\n");
  return text;
}

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
    }
    if (!writes) state.active_chat[{host, ResourceId("chat")}] = state.epoch;
  }
}

void Story::LookHealthy() {
  const PoolState state = seen_.pools[PoolId(kPool)];
  HostId main;
  for (const Database& database : topology_.pools[PoolId(kPool)].databases) {
    const auto right = state.rights.find(database.id);
    for (const Instance& instance : database.instances) {
      Observation seen;
      seen.pool = PoolId(kPool);
      seen.service_managed = true;
      seen.fence = {FencePhase::kClosed, state.epoch, Epoch(), true, true};
      DatabaseObservation detail;
      detail.system_id = kSystemId;
      detail.version = "15.18";
      const bool primary = instance.role == InstanceRole::kPrimary;
      detail.state = primary ? DatabaseState::kDown : DatabaseState::kStandby;
      detail.clean_shutdown = primary;
      detail.standby_signal = !primary;
      if (right != state.rights.end()) {
        const bool writes = right->second.writer == instance.host;
        if (writes && main.empty()) main = instance.host;
        detail.state = writes ? DatabaseState::kPrimary : DatabaseState::kStandby;
        detail.archiving = writes;
        detail.standby_signal = !writes;
        if (writes) {
          seen.fence = {FencePhase::kOpen, state.epoch, right->second.lineages.back().epoch, true,
                        false};
        }
      }
      seen.detail = detail;
      seen_.resources[{instance.host, instance.service}] = {seen, kNow};
    }
  }
  for (const ChatServer& server : topology_.pools[PoolId(kPool)].chat_servers) {
    const ResourceRef ref{server.host, server.service};
    const auto active = state.active_chat.find(ref);
    Observation seen;
    seen.pool = PoolId(kPool);
    seen.service_managed = true;
    seen.fence = {FencePhase::kClosed, state.epoch, Epoch(), true, true};
    ChatObservation detail;
    detail.state = ChatState::kDown;
    if (active != state.active_chat.end()) {
      seen.fence = {FencePhase::kOpen, state.epoch, active->second, true, false};
      detail.state = ChatState::kServing;
      detail.points_at = main;
    }
    seen.detail = detail;
    seen_.resources[ref] = {seen, kNow};
  }
}

void Story::See(const std::vector<std::string>& words) {
  SeenResource& resource = seen_.resources[RefOf(words.at(1))];
  for (size_t i = 2; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos) Die(words[i]);
    const std::string key = words[i].substr(0, equals);
    std::string value = words[i].substr(equals + 1);
    for (char& c : value) {
      if (c == '_' && (key == "problem" || key == "failure")) c = ' ';
    }
    if (key == "age") {
      resource.at = kNow - DurationOf(value);
    } else if (key == "managed") {
      resource.observation.service_managed = value == "yes";
    } else if (key == "fence") {
      resource.observation.fence.phase = PhaseOf(value);
    } else if (key == "readable") {
      resource.observation.fence.file_readable = value == "yes";
    } else if (key == "fence_epoch") {
      resource.observation.fence.fence_epoch = EpochOf(value);
    } else if (key == "write_epoch") {
      resource.observation.fence.write_epoch = EpochOf(value);
    } else if (auto* database = std::get_if<DatabaseObservation>(&resource.observation.detail)) {
      Change(*database, key, value);
    } else if (auto* chat = std::get_if<ChatObservation>(&resource.observation.detail)) {
      Change(*chat, key, value);
    } else {
      Die(words[i]);
    }
  }
}

std::string Story::MakeThePlan(const std::vector<std::string>& words) {
  Goal goal;
  goal.kind = words.at(1) == "adopt" ? PlanKind::kAdopt : PlanKind::kSwitchover;
  goal.pool = PoolId(ValueOf(words, "pool", kPool));
  goal.reason = "story";
  goal.requested_by = "tester";
  goal.expected_primary = HostId(ValueOf(words, "expected"));
  goal.plan_id = PlanId(absl::StrCat("p", ++plans_));
  seen_.topology = std::make_shared<const Topology>(topology_);
  planned_ = MakePlan(seen_, goal, Policy());
  if (planned_.plan.has_value()) return Print(*planned_.plan);
  std::string text = "refused\n";
  for (const Refusal& refusal : planned_.refusals) {
    absl::StrAppend(&text, "- ", Describe(refusal), "\n");
  }
  return text;
}

void Story::Succeed() {
  const Plan& plan = *planned_.plan;
  PoolState& state = seen_.pools[plan.pool];
  for (size_t i = 0; i < plan.steps.size(); ++i) {
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
  } else if (words[0] == "away") {
    seen_.agents[HostId(words.at(1))].connected = false;
  } else if (words[0] == "running") {
    seen_.running[PoolId(kPool)] = PlanId(words.at(1));
  } else if (words[0] == "plan") {
    return MakeThePlan(words);
  } else if (words[0] == "succeed") {
    Succeed();
  } else {
    Die(line);
  }
  return "";
}

}  // namespace baton::testing
