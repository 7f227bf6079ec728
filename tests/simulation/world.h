// Everything that is not the product: hosts, resources, shares, network, clients. And the one who
// watches it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/model/topology.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/rng.h"
#include "tests/simulation/storage.h"
#include "tests/simulation/unit.h"

namespace baton::sim {

class Oracle;

// Where a durable store can be cut off: before its bytes are safe, and after that, unanswered.
enum class SyncPoint {
  kJournalWritten,
  kJournalSynced,
  kLedgerWritten,
  kLedgerSynced,
  kFenceWritten,  // under another name
  kFenceRenamed,
  kFenceSynced,
};
inline constexpr int kSyncPoints = 7;

// By a clock that is right.
inline absl::Time WallTime(Nanos at) { return absl::FromUnixNanos(1'700'000'000 * kSecond + at); }

// Two database hosts, two chat hosts, two hosts of spare chat servers, the coordinator's. Even ones
// are at headquarters, odd ones at the recovery site.
inline constexpr int kHosts = 7;
inline constexpr int kCoordinatorHost = 6;

// What happened, a line each; kept only when somebody will read it.
class Story {
 public:
  explicit Story(bool told) : told_(told) {}
  bool told() const { return told_; }
  void Tell(Nanos at, std::string line);
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  bool told_;
  std::vector<std::string> lines_;
};

class World {
 public:
  World(uint64_t seed, Mutation mutation, bool told, int databases, bool spares);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  EventQueue queue;
  Rng rng;
  Rng late_rng;  // of what came to the simulation later: `rng` tells each seed what it always did
  const Mutation mutation;
  Story story;
  Oracle* oracle = nullptr;

  std::shared_ptr<const Topology> topology;
  PoolId pool;
  std::array<Host, kHosts> hosts;
  std::vector<std::unique_ptr<Unit>> units;
  std::array<Share, 2> shares;
  int databases = 1;
  int agent_hosts = 4;            // 6 with spare chat servers
  bool cut[kHosts][kHosts] = {};  // messages from the first to the second are lost
  bool storms = false;            // the network delays, loses and doubles
  std::function<void(SyncPoint, int host)> on_sync;  // may kill who is about to sync

  bool Is(Mutation wanted) const { return mutation == wanted; }
  Nanos Jitter(Nanos low, Nanos high) { return rng.Between(low, high); }
  bool Reaches(int from, int to) const { return !cut[from][to] && hosts[from].up && hosts[to].up; }
  Unit* Find(const ResourceRef& ref) const;
  Unit* InstanceOn(int database, int host) const;
  Unit* ChatOn(int host) const;
  // Those of the site at which `host` is, its database host first.
  std::vector<int> HostsBeside(int host) const;
  Share* ShareOf(const ShareId& id);
  int HostIndex(const HostId& id) const;
  LineageKey KeyOf(int database, const Lineage& lineage) const;
  uint64_t NewEntryId() { return ++last_entry_; }
  void Sync(SyncPoint point, int host) {
    if (on_sync) on_sync(point, host);
  }
  // What is told is only made when somebody reads it.
  template <class F>
  void Tell(const F& line) {
    if (story.told()) story.Tell(queue.now(), line());
  }

  // A file came into a share or a fence changed: who follows may go on.
  void WakeFollowers();

  // Nobody: what goes on whatever dies.
  EventQueue::Process outside() const { return outside_; }

 private:
  uint64_t last_entry_ = 0;
  EventQueue::Process outside_;
};

enum class PushResult { kStored, kNoShare, kOtherBytes };
// Puts one file into a share, as baton-guard does after it asked the fence.
PushResult Push(World& world, const Unit& unit, const FileName& name, const LogFile& file,
                const LineageKey& key, const ShareId& to);

}  // namespace baton::sim
