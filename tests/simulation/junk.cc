// What a peer that is broken or hostile sends: nothing of it may act, crash anybody, or stay.
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/coordinator.h"
#include "tests/simulation/oracle.h"

namespace baton::sim {
namespace {

constexpr size_t kLongName = 300;
constexpr int kFlood = 1500;
constexpr int kDryRuns = 400;

std::string Long(Rng& rng) {
  return std::string(kLongName + rng.Below(100), static_cast<char>('a' + rng.Below(26)));
}

// A command that must be refused, each for another reason.
Command BadCommand(World& world, const Host& host, const Epoch& seen) {
  Rng& rng = world.rng;
  const Unit& unit = *host.units[rng.Below(host.units.size())];
  Command command;
  command.id = CommandId(absl::StrCat("junk", rng.Below(1000), "/0/1"));
  command.plan = PlanId("junk");
  command.pool = world.pool;
  command.resource = unit.ref.resource;
  command.epoch = seen;
  command.timeout = absl::Seconds(1);
  command.action = rng.Chance(50) ? Action(Fence{}) : Action(Activate{});
  switch (rng.Below(6)) {
    case 0:
      command.id = CommandId();
      break;
    case 1:
      command.id = CommandId(Long(rng));
      break;
    case 2:
      command.resource = ResourceId(Long(rng));
      break;
    case 3:
      command.pool = PoolId("another.example");
      break;
    case 4:
      command.timeout = -absl::InfiniteDuration();
      break;
    default:
      command.epoch = Epoch();
      // Where nothing was seen yet there is no lower epoch.
      if (seen.none()) command.timeout = absl::ZeroDuration();
      break;
  }
  return command;
}

agent::FromCoordinator JunkDown(World& world, const Host& host, const Epoch& seen) {
  Rng& rng = world.rng;
  const ResourceId resource = host.units.front()->ref.resource;
  switch (rng.Below(8)) {
    case 0:
      return agent::QueryCommand{CommandId(rng.Chance(50) ? Long(rng) : "")};
    case 1:
      return agent::Confirm{world.pool, ResourceId(Long(rng)), seen, host.boot};
    case 2:
      return agent::Confirm{world.pool, resource, Epoch{9, 9}, BootId("another")};
    case 3:
      return agent::Revoke{PoolId("another.example"), resource, Epoch{9, 9}};
    case 4:
      return agent::Revoke{world.pool, resource, Epoch()};
    case 5:
      return agent::CancelCommand{CommandId(Long(rng))};
    case 6:
      return agent::Welcome{SessionId(Long(rng)), JournalId("another"), -absl::Seconds(1)};
    default:
      return BadCommand(world, host, seen);
  }
}

Observation StrangeObservation(World& world) {
  Observation seen;
  seen.resource = ResourceId(absl::StrCat(Long(world.rng), world.rng.Below(1000)));
  seen.pool = world.pool;
  seen.detail = DatabaseObservation();
  return seen;
}

agent::ToCoordinator JunkUp(World& world, const HostId& other) {
  Rng& rng = world.rng;
  switch (rng.Below(6)) {
    // What the wire itself refuses ends the session before it gets here.
    case 0: {
      agent::Report report;
      for (int i = 0; i < 50; ++i) report.observations.push_back(StrangeObservation(world));
      return report;
    }
    case 1:
      return agent::Finished{CommandId(absl::StrCat("p", rng.Below(9), "/", rng.Below(99), "/1")),
                             FailedOutcome(Long(rng), Long(rng))};
    case 2:
      return agent::Finished{CommandId(Long(rng)), OkOutcome()};
    case 3:
      return agent::CommandAnswer{CommandId("p1/2147483647/1"), agent::AnswerState::kFinished,
                                  OkOutcome()};
    case 4:
      return agent::Revoked{world.pool, ResourceId(other.value()), Epoch{9, 9}, OkOutcome()};
    default:
      // The longest that the wire takes (common/rpc/time_proto.cc).
      return agent::Heartbeat{absl::Hours(24 * 365 * 10000)};
  }
}

}  // namespace

void CoordinatorProcess::JunkToAgent(AgentProcess& agent, bool flood) {
  const auto welcomed = welcomed_.find(agent.host.id);
  if (welcomed == welcomed_.end() || !agent.running()) return;
  const uint64_t stream = welcomed->second;
  const Epoch seen = agent.ledger.EpochOf(world_.pool);
  std::vector<agent::FromCoordinator> junk;
  const int count = flood ? kFlood : 40;
  for (int i = 0; i < count; ++i) {
    if (flood && i >= count - kDryRuns) {
      junk.push_back(agent::DryRun{absl::StrCat("d", i), agent.host.units.front()->ref.resource,
                                   Action(CheckDatabase{})});
    } else {
      junk.push_back(JunkDown(world_, agent.host, seen));
    }
  }
  world_.queue.At(agent.process, world_.Jitter(300, 2000) * kMicro,
                  [this, stream, junk = std::move(junk)] {
                    for (const agent::FromCoordinator& message : junk) {
                      Stream& mine = streams_.at(stream);
                      if (!mine.agent_end) return;
                      mine.events.message(message);
                    }
                  });
}

void CoordinatorProcess::JunkFromAgent(const HostId& host) {
  const auto welcomed = welcomed_.find(host);
  if (welcomed == welcomed_.end()) return;
  const uint64_t stream = welcomed->second;
  for (int i = 0; i < 40; ++i) {
    const HostId& other = world_.hosts[world_.rng.Below(world_.agent_hosts)].id;
    world_.queue.At(process, world_.Jitter(300, 2000) * kMicro,
                    [this, stream, message = JunkUp(world_, other)] {
                      if (sessions_.contains(stream)) OnMessage(stream, message);
                    });
  }
}

void CoordinatorProcess::CheckBounds() const {
  if (resources_.size() <= world_.units.size() && agents_.size() <= kHosts &&
      refused_.size() <= kHosts) {
    return;
  }
  world_.oracle->CheckHeld("observations at the coordinator", resources_.size(),
                           world_.units.size());
  world_.oracle->CheckHeld("agents at the coordinator", agents_.size(), kHosts);
  world_.oracle->CheckHeld("refused ledgers at the coordinator", refused_.size(), kHosts);
}

void AgentProcess::CheckBounds() const {
  if (core_ == nullptr) return;
  const agent::AgentState& state = core_->state();
  const auto check = [&](const char* what, size_t held, size_t most) {
    if (held <= most) return;
    world.oracle->CheckHeld(absl::StrCat(what, " at the agent of ", host.id.value()), held, most);
  };
  check("resources", state.resources.size(), host.units.size());
  check("commands", state.commands.size(), agent::kFinishedCommandsMax + host.units.size());
  check("refused commands", state.refused.size(), agent::kRefusedCommandsMax);
  check("untold answers", state.untold.size(), agent::kUntoldMax);
  check("dry runs", state.dry_runs, agent::kDryRunsMax);
}

}  // namespace baton::sim
