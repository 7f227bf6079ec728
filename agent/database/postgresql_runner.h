// Carries out the actions of one PostgreSQL instance. What each one means:
//
// action            requires                     afterwards, as seen           proof
// ----------------  ---------------------------  ----------------------------  -------------------
// CheckDatabase     –                            nothing changed; role,        what was looked at;
//                                                identity, settings, archiver  with checkpoint: one
//                                                and shares as wanted          file shipped now
// EndConnections    –                            the sessions of before are    pg_stat_activity
//                                                gone
// Fence             –                            fence closing (a standby:     the exclusive lock;
//                                                closed) under the command's   standby: in recovery
//                                                epoch, standby.signal there,  with no right to
//                                                stopped cleanly, or a         write in its file
//                                                standby that runs on
// ShipTail          fence closing, stopped       all log shipped, fence        control file "shut
//                                                closed, its lineage sealed    down", or the end of
//                                                at the final position         a read-only replay
// CopyPendingLogs   no right to write            fence file lists what to      bytes copied
//                                                fetch; all of it copied
// ApplyPendingLogs  in recovery, on the          replay position past `until`  pg_last_wal_replay_
//                   timeline of `until`                                        lsn()
// Recover           in recovery, or down and     fence open and confirmed,     a commit on a new
//                   then started; no other       promoted                      timeline
//                   right
//   with own_log    fenced, stopped, wrote       the same, in its own log      the same
//                   before
// StopLogShipping   no right; shares readable    fence file seals the last     the list of what
//                   or given up                  lineage                       shares and copies
//                   hold
// SalvageLogs       a dead directory of the      its log in the copy           bytes copied
//                   same system                  destination
// Quarantine        fenced, stopped, the same    data directory empty; what    manifest and data in
//                   system                       it held alone is kept         the quarantine
// RemoveQuarantine  –                            nothing of that name          –
// Seed              no right, stopped, empty     a whole copy with             control file, no
//                                                standby.signal                marker
// ConfigureLog-     settings_file                settings in it, read by the   pg_file_settings
//   Shipping                                     server
// Unfence           stopped or read-write, its   fence open and confirmed, no  a commit
//                   log not shipped to its end,  standby.signal, runs
//                   never a standby
// StartStandby      a standby, or shipped to     fence closed with `fetch`,    in recovery
//                   its end; not writable        follows
// Start             the gate allows it           answers queries               a query
// Stop              –                            stopped cleanly, and stays    the exclusive lock
//
// action            undone by                          kUnknown means
// ----------------  ---------------------------------  -------------------------------------------
// CheckDatabase     nothing to undo                    –
// EndConnections    clients connect again              –
// Fence             Unfence, before ShipTail only      –
// ShipTail          StartStandby, then Recover under   –: a lost answer counts as shipped; Look
//                   a new epoch                        finds the final position in the fence file
// CopyPendingLogs   not needed: files are only added   Look cannot tell; repeat it
// ApplyPendingLogs  not needed: nothing is lost by it  –
// Recover           Fence under a newer epoch; its     promotion was asked for and not seen: it may
//                   stop is what ends a promotion      take effect later. Look until it shows, or
//                   that is still pending              Fence
// Unfence           Fence                              –
// StartStandby      Stop                               –
// Start             Stop                               –
// Stop              Start                              –
//
// All are idempotent, and none but Quarantine and RemoveQuarantine, on somebody's word, removes or
// overwrites log: what a crash left is recovered under the fence, with nothing to fetch but what
// was sealed before the right was given. A stop is always clean and bounded; a server that does not
// stop in time makes Fence and Stop fail, with the fence in place. Every one but CheckDatabase,
// EndConnections, ApplyPendingLogs, Start and Stop refuses an epoch below the fence file's.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

#include "agent/core/ports.h"
#include "agent/database/interrupt.h"
#include "agent/database/postgresql_host.h"
#include "agent/database/postgresql_instance.h"
#include "common/base/mutex.h"

namespace baton {

// Thread-safe. Works on one thread of its own, one thing at a time; completions run there.
class PostgresqlRunner : public ActionRunner {
 public:
  // FAILED_PRECONDITION or INVALID_ARGUMENT naming what the resource file lacks.
  static absl::StatusOr<std::unique_ptr<PostgresqlRunner>> Create(const PostgresqlHost& host);
  // Cancels what runs and what waits, and returns when their completions have run.
  ~PostgresqlRunner() override;

  void Start(const Command& command, std::function<void(Progress)> progress,
             std::function<void(Outcome)> done) override;
  void Cancel(const CommandId& id) override;
  void Look(const Command& command, std::function<void(Outcome)> done) override;
  void Check(const Action& action, std::function<void(Outcome)> done) override;

 private:
  struct Job {
    CommandId id;  // empty: nothing that could be cancelled
    std::function<Outcome()> work;
    std::function<void(Outcome)> done;
    bool cancelled = false;
  };

  PostgresqlRunner() = default;
  void Enqueue(Job job);
  void Work();

  postgresql::Interrupt interrupt_;
  std::unique_ptr<postgresql::PostgresqlInstance> instance_;  // used on thread_ only
  Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  CommandId running_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace baton
