// Two sites with a real PostgreSQL each, run by real baton-guard supervisors, for tests of the
// PostgreSQL runner and probe. Everything lies in one temporary folder and ends with the object.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <sys/types.h>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "agent/core/host_ports.h"
#include "agent/core/ports.h"
#include "agent/database/postgresql_connection.h"
#include "agent/database/postgresql_probe.h"
#include "agent/database/postgresql_runner.h"
#include "common/protocol/action.h"
#include "common/protocol/resource_config.h"
#include "common/runtime/system_clock.h"

namespace baton::test {

// Tests that start PostgreSQL cannot be root: changes to an unprivileged user for good.
void LeaveRoot();

// One instance with its supervisor, its runner and its probe.
struct Site {
  std::string folder;
  ResourceConfig config;
  pid_t supervisor = 0;
  std::unique_ptr<FenceStore> fences;
  std::unique_ptr<ServiceManager> service;
  std::unique_ptr<ArchiveStore> archive;
  std::vector<pid_t> children;  // that acted for its runner
  std::unique_ptr<PostgresqlRunner> runner;
  std::unique_ptr<PostgresqlProbe> probe;

  std::string share_path() const { return config.shares.at(config.share); }
  pid_t Postmaster() const;
};

// What one action took, for the report of a move.
struct Timing {
  std::string action;
  absl::Duration took;
};

// A primary at `home` and a standby at `away`, adopted: the primary serves under epoch 1.1. Methods
// fail the current test when something does not work.
class World {
 public:
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Site& home() { return home_; }
  Site& away() { return away_; }
  const std::string& system_id() const { return system_id_; }
  const Epoch& epoch() const { return epoch_; }
  Epoch NextEpoch() { return epoch_ = epoch_.Next(); }
  const Lineage& lineage() const { return lineages_.back(); }
  const std::vector<Lineage>& lineages() const { return lineages_; }
  // The last lineage ends there.
  void Seal(const LogPosition& position) { lineages_.back().sealed = position; }
  // `site` writes the next lineage, under the current epoch.
  const Lineage& BeginLineage(const Site& site) {
    lineages_.push_back(LineageOf(site));
    return lineages_.back();
  }

  // One action on one site under the current epoch, to its outcome; its time goes to timings().
  Outcome Do(Site& site, Action action, absl::Duration timeout = absl::Seconds(30));
  Outcome Look(Site& site, Action action);
  Outcome Check(Site& site, Action action);
  Observation Observe(Site& site);

  // The lineage that `site` writes under the current epoch.
  Lineage LineageOf(const Site& site) const;
  // Moves the right to write from one site to the other, as a switchover does. False: an action
  // failed, which failed the test.
  bool Switchover(Site& from, Site& to);
  // Plays a power cut and what follows: everything of the site is killed, its boot id changes, its
  // supervisor comes back. Without `remembers`, what the supervisor had on disk is gone, too.
  void Reboot(Site& site, bool remembers = true);
  // Kills a site's supervisor and server at once; nothing comes back by itself.
  void KillAll(Site& site);
  void StartSupervisor(Site* site);
  // `baton-guard VERB…` on the site's resource, as an operator without an agent would run it.
  void Guard(Site& site, const std::string& verb, const std::vector<std::string>& words);
  // Called by Switchover and TakeOver with the new primary as soon as it serves.
  std::function<void(Site&)> on_recovered;
  // The part of a move after ShipTail gave `final`.
  bool TakeOver(Site& from, Site& to, const LogPosition& final);

  std::vector<Timing>& timings() { return timings_; }

  // Runs SQL at a site as the superuser; fails the test if it fails. First column of the first row.
  std::string Sql(Site& site, const char* sql);
  // The ids of the posts that are there.
  std::set<int64_t> Stored(Site& site);
  // Waits, bounded, until `condition` holds; false and a failed test when it never did.
  bool Eventually(const std::string& what, const std::function<bool()>& condition);

 private:
  void MakeSite(const std::string& name, Site* site, int port, int other_port);
  void WriteConfiguration(const Site& site);
  void Bootstrap();
  void Supervise(Site* site);
  void Adopt();

  std::string folder_;
  SystemClock clock_;
  Site home_;
  Site away_;
  std::string system_id_;
  Epoch epoch_{1, 0};
  uint64_t commands_ = 0;
  int boots_ = 1;
  std::vector<Lineage> lineages_;
  std::vector<Timing> timings_;
};

// `pg_ctl -D DATA WORDS…` on the site, past its supervisor and its gate. Fails the test if it
// fails.
void PgCtl(const Site& site, const std::vector<std::string>& words);

// Inserts numbers, one after the other, wherever it is told that the primary is, and remembers the
// ones whose commit was acknowledged. A number whose insert failed is never tried again.
class Writer {
 public:
  explicit Writer(const Site& primary);
  ~Writer();

  void Follow(const Site& primary);
  // Stops writing and returns what was acknowledged.
  std::vector<int64_t> Stop();
  size_t acknowledged() const { return count_; }
  // Longest time between two acknowledged inserts since the last call.
  absl::Duration TakeLongestGap();

 private:
  void Work();

  std::atomic<int> port_{0};
  const std::string passfile_;
  std::atomic<bool> ending_{false};
  std::atomic<size_t> count_{0};
  std::atomic<int64_t> longest_gap_ns_{0};
  std::vector<int64_t> acknowledged_;
  std::thread thread_;
};

}  // namespace baton::test
