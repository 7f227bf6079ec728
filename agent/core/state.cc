#include "agent/core/state.h"

#include <algorithm>
#include <utility>

namespace baton::agent {

const CommandRecord* AgentState::Find(const CommandId& id) const {
  const auto held = commands.find(id);
  if (held != commands.end()) return &held->second;
  const auto denied = refused.find(id);
  return denied == refused.end() ? nullptr : &denied->second;
}

CommandPhase AgentState::PhaseOf(const CommandId& id) const {
  const CommandRecord* record = Find(id);
  return record == nullptr ? CommandPhase::kAbsent : record->phase;
}

const ResourceState* AgentState::Resource(const ResourceId& id) const {
  const auto it = resources.find(id);
  return it == resources.end() ? nullptr : &it->second;
}

const ResourceState* AgentState::DeferredFor(const CommandId& command) const {
  for (const auto& [id, resource] : resources) {
    if (resource.deferred.has_value() && resource.deferred->command.id == command) return &resource;
  }
  return nullptr;
}

Epoch AgentState::EpochOf(const PoolId& pool) const {
  const auto it = epochs.find(pool);
  return it == epochs.end() ? Epoch{} : it->second;
}

JournalId AgentState::JournalOf(const PoolId& pool) const {
  const auto it = journals.find(pool);
  return it == journals.end() ? JournalId() : it->second;
}

BootId AgentState::Boot() const {
  return resources.empty() ? BootId() : resources.begin()->second.boot;
}

AgentState MakeState(HostId host, std::string version, const std::vector<ResourceName>& resources,
                     const Ledger::Contents& ledger, absl::Duration now) {
  AgentState state;
  state.host = std::move(host);
  state.version = std::move(version);
  state.ledger = ledger.id;
  state.session_counter = ledger.session_counter;
  state.children = ledger.children;
  for (const ResourceName& name : resources) state.resources[name.resource].pool = name.pool;
  for (const auto& [pool, epoch] : ledger.epochs) {
    state.epochs[pool] = std::max(state.epochs[pool], epoch);
  }
  for (const auto& [pool, journal] : ledger.journals) state.journals[pool] = journal;
  for (const auto& [id, record] : ledger.fences) {
    const auto it = state.resources.find(id);
    if (it != state.resources.end()) it->second.fence = record;
  }
  for (const LedgerCommand& entry : ledger.commands) {
    CommandRecord record;
    record.command = entry.command;
    record.outcome = entry.outcome;
    record.ended = now;
    record.phase = entry.outcome.has_value() ? CommandPhase::kFinished : CommandPhase::kUnsettled;
    if (entry.outcome.has_value()) {
      record.command.action = Action{};
      state.finished_order.push_back(entry.command.id);
    } else if (const auto it = state.resources.find(entry.command.resource);
               it != state.resources.end()) {
      it->second.running = entry.command.id;
    }
    state.commands[entry.command.id] = std::move(record);
  }
  return state;
}

}  // namespace baton::agent
