// One resource on one host: its fence file, its lock, its supervisor and its server.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/protocol/fence_state.h"
#include "common/protocol/ids.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/storage.h"

namespace baton::sim {

class World;
class Unit;

struct Host {
  int index = 0;
  HostId id;
  SiteId site;
  bool up = true;
  int boots = 0;
  BootId boot;
  Nanos wall_offset = 0;  // how wrong its wall clock is
  std::vector<Unit*> units;
};

// The fence file. `visible` is what readers see, `durable` what a power cut leaves.
struct FenceFileModel {
  std::optional<FenceRecord> visible;
  std::optional<FenceRecord> durable;
};

enum class ServerState { kDown, kStarting, kStandby, kPrimary, kServing, kStopping };

class Unit {
 public:
  Unit(World& world, int index, Host& host, ResourceId resource, int database);

  const int index;
  Host& host;
  const ResourceRef ref;
  const int database;  // -1: a chat server
  const EventQueue::Process supervisor;
  const EventQueue::Process server;

  bool is_database() const { return database >= 0; }
  ServerState state() const { return state_; }
  bool Runs() const { return state_ != ServerState::kDown; }
  // It could change the database now, or would as soon as it is not paused any more.
  bool Writable() const { return writable_ || writable_orphans_ > 0; }
  bool LockFree() const { return !Runs() && judging_ == 0 && orphans_ == 0; }
  // One record more in its log; `message`: of a client, or 0.
  void Append(int64_t message);
  // Answers to what it is asked at this moment.
  bool Answers() const;
  GateDecision Judge(bool* may_write) const;

  // --- the supervisor ---
  struct SupervisorMind {  // its state file
    bool desired_up = false;
    bool could_write = false;
    std::optional<Epoch> write_at_start;
  };
  const SupervisorMind& mind() const { return mind_; }
  const std::string& refused() const { return refused_; }
  bool Managed() const;
  // Who waits for what it asked for. A request that is read when nobody does any more is dropped.
  struct Asker {};
  bool RequestStart(const std::shared_ptr<Asker>& asker);  // false: nobody listens
  bool RequestStop(bool immediate, const std::shared_ptr<Asker>& asker);
  void StartSupervisor();
  void KillSupervisor();
  // Server and supervisor, until StartAgain.
  void KillForGood();
  void StartAgain();

  // --- the fence file ---
  FenceFileModel fence;
  void SetFence(const FenceRecord& record, bool durable);
  // Bytes of the file are lost or altered; readers see what is left of it.
  void DamageFence();
  FencePhase PhaseNow() const;

  // --- the server ---
  DataDirectory data;
  int points_at = -1;      // a chat server's database file: host
  bool accepting = false;  // a chat server takes clients
  int uses = -1;           // the host that a running chat server was started with
  bool promotion_pending = false;
  bool archive_failing = false;
  std::string problem;   // why a standby can't follow
  int idle_replays = 0;  // looks for more log, one after the other, that found nothing
  Archive copied;        // the copy destination
  std::vector<KeptData> quarantine;
  bool disk_full = false;             // no room for a quarantine, or for a seed
  bool quarantine_elsewhere = false;  // on another filesystem
  bool configured = true;             // the settings of log shipping are there

  // What of `fetch` its replay could go on with: where that ends, and whether a file is missing
  // before later ones. Without shares: of what was copied only (agent/database: FollowChain).
  struct Chain {
    LogPosition end;
    bool gap = false;
  };
  Chain FollowChain(const std::vector<Lineage>& fetch, bool shares) const;

  void KillServer(bool orphans);
  void PowerOff();  // everything of it, unsynced bytes included
  void PowerOn();
  void AskToPromote();
  // Replays what it can get. A standby only.
  void Replay();
  void ReplaySoon(Nanos delay);
  void ArchiveSoon(Nanos delay);
  void Drain() { accepting = false; }

 private:
  void FenceChanged();
  void TrustNoOpenFence();
  void LookAtFence();
  void EndOrphans();
  void LookSoon(Nanos delay);
  void SupervisorTick();
  bool Heard(const std::weak_ptr<Asker>& asker) const;
  void StartServer();
  void Exec(bool read_write, std::optional<Epoch> write_epoch);
  void Up(bool read_write);
  void StopServer(bool immediate);
  void FinishStop();
  void Ended();
  void BecomeWritable(bool writable);
  void Promoted();
  void ArchiveOne();
  void ShippedOne(const FileName& name, const LineageKey& key, bool stored);
  void ArchiveTick();
  std::optional<Branch> LeaveTimeline();
  std::shared_ptr<const LogFile> Fetch(const FileName& name);

  World& world_;
  ServerState state_ = ServerState::kDown;
  bool started_writable_ = false;
  bool writable_ = false;
  bool stopping_on_purpose_ = false;
  bool archiving_ = false;
  bool replay_due_ = false;
  bool start_asked_ = false;
  bool restart_after_stop_ = false;
  int judging_ = 0;
  int orphans_ = 0;
  int writable_orphans_ = 0;
  uint64_t orphans_batch_ = 0;  // those that were ended by somebody belong to an earlier one
  std::string refused_;
  SupervisorMind mind_;
  std::optional<FenceRecord> last_look_;
};

}  // namespace baton::sim
