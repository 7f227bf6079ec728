// What a runner needs of its neighbours on the host. Unlike ports.h these are plain blocking calls:
// runners use them on their own worker threads, never on the loop. All are thread-safe, bounded in
// time and idempotent. Implemented in agent/guard (FenceStore, ArchiveStore) and agent/service
// (ServiceManager); given to the runners by `main`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/protocol/fence_state.h"
#include "common/protocol/position.h"

namespace baton {

// The fence file of one resource, and the lock beside it.
class FenceStore {
 public:
  virtual ~FenceStore() = default;

  // NOT_FOUND: no file. DATA_LOSS: not understood. Both mean closed.
  virtual absl::StatusOr<FenceRecord> Read() = 0;

  // Replaces the file durably, after it was entered in the ledger (an implementation detail that
  // `main` wires: ledger → file); costs nothing where both say so already. FAILED_PRECONDITION when
  // it would lower the fence epoch.
  virtual absl::Status Write(const FenceRecord& record) = 0;

  // For a database that is closing or closed: puts standby.signal into its data directory, durably.
  virtual absl::Status PlaceStandbySignal() = 0;

  // Takes the exclusive lock beside the file and lets it go again: OK means that nothing which
  // started under an older file is alive. DEADLINE_EXCEEDED names the pids that still hold it.
  virtual absl::Status ProveNothingRuns(absl::Duration timeout) = 0;

  // This boot's id, from the place the resource's file names.
  virtual absl::StatusOr<BootId> Boot() = 0;
};

enum class StopMode { kClean, kImmediate };

struct ServiceStatus {
  bool managed = false;  // the supervisor (or systemd unit) is there and answers
  bool running = false;
  int64_t pid = 0;
  std::string refused;    // the gate's reason when the last start was refused
  std::string last_exit;  // "exit status 1", "signal 9": how it last ended
};

// Starts and stops one service through its manager, always behind the gate.
class ServiceManager {
 public:
  virtual ~ServiceManager() = default;
  // OK when the process runs (not: when it serves). FAILED_PRECONDITION: the gate refused, with its
  // reason.
  virtual absl::Status Start(absl::Duration timeout) = 0;
  // OK when it is gone and reaped, and will not be restarted. DEADLINE_EXCEEDED: it still runs.
  virtual absl::Status Stop(StopMode mode, absl::Duration timeout) = 0;
  virtual absl::StatusOr<ServiceStatus> Status() = 0;
};

// What an archive holds of some lineages.
struct ArchivedLog {
  // Log files `first` to `last` of one timeline, by number (address / size), none missing.
  struct Run {
    size_t lineage = 0;  // which of those asked for
    uint32_t timeline = 0;
    uint64_t first = 0;
    uint64_t last = 0;

    friend bool operator==(const Run&, const Run&) = default;
  };
  // Where `timeline` left its parent, as a history file says.
  struct Fork {
    size_t lineage = 0;
    uint32_t timeline = 0;
    uint64_t lsn = 0;

    friend bool operator==(const Fork&, const Fork&) = default;
  };
  std::vector<Run> runs;
  std::vector<Fork> forks;
};
enum class ArchivePlace { kCopied, kCopiedAndShares };

// What a server's settings call to ship and to restore a log file.
struct ShippingCommands {
  std::string archive;
  std::string restore;
};

// The archive of one database resource. Every access to a share happens in a child process with a
// deadline (ResourceConfig::share_timeout): UNAVAILABLE when it passed or the marker is missing.
class ArchiveStore {
 public:
  virtual ~ArchiveStore() = default;
  // Ships `file` (a log file's full path) into the lineage that the fence file lets this instance
  // write. FAILED_PRECONDITION: the fence forbids it. ALREADY_EXISTS: other bytes under that name.
  virtual absl::Status Push(const std::string& file) = 0;
  // What a long copy says, and asks for whether it shall go on. Either may be empty.
  struct CopyWatch {
    std::function<void(uint64_t done, uint64_t total)> progress;
    std::function<absl::Status()> live;  // any thread; its error ends the copy, and is returned
  };
  // Copies whatever `fetch` lists, up to its seals, that a share has and the copy destination
  // lacks. Progress is in bytes. Returns bytes copied.
  virtual absl::StatusOr<uint64_t> CopyPending(const std::vector<Lineage>& fetch,
                                               const CopyWatch& watch) = 0;
  // Is the share that this instance ships to there, its marker right, and does a timed write
  // succeed? Also checks that the other shares can be read, and that the copy destination can be
  // written.
  virtual absl::Status CheckShares() = 0;
  // What `fetch` serves, from the log file named `from` on (empty: all). kCopied touches no share.
  virtual absl::StatusOr<ArchivedLog> List(const std::vector<Lineage>& fetch,
                                           const std::string& from, ArchivePlace place) = 0;
  // Copies log files that hold log of their own number, from the one named `from` on and on no
  // earlier timeline, from a dead instance's data directory to the copy destination of the last of
  // `fetch`; what is copied of any of `fetch` is left out. Returns bytes copied.
  // FAILED_PRECONDITION: a server of this host works on it.
  virtual absl::StatusOr<uint64_t> Salvage(const std::vector<Lineage>& fetch,
                                           const std::string& data_directory,
                                           const std::string& from, const CopyWatch& watch) = 0;
  // Gives the share that this instance ships to its marker if it is empty and a filesystem of its
  // own, and its folders there. FAILED_PRECONDITION: it has none, and is not empty or lies on the
  // root's or the data directory's filesystem. UNAVAILABLE: it has another's.
  virtual absl::Status PrepareShare() = 0;
  // FAILED_PRECONDITION: a path in them would need quoting.
  virtual absl::StatusOr<ShippingCommands> Commands() = 0;
};

}  // namespace baton
