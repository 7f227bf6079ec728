// Logs, archives and shares, as far as shipping and following depend on them.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/protocol/fence_state.h"
#include "common/protocol/position.h"

namespace baton::sim {

inline constexpr uint64_t kEntryBytes = 64;
inline constexpr uint64_t kSegmentBytes = 1024;

// One record of a log. `id` stands for its bytes: no two records are the same.
struct LogEntry {
  uint64_t lsn = 0;
  uint64_t id = 0;
  int64_t message = 0;  // of a client; 0: none
  int64_t at = 0;       // virtual nanoseconds, when it was written
  int64_t dated = 0;    // the same by the wall clock of the host that wrote it
};
// Where a timeline was left.
struct Branch {
  uint32_t timeline = 0;
  uint64_t lsn = 0;
  friend bool operator==(const Branch&, const Branch&) = default;
};
// A file of a log: a segment (its number), or the history of a timeline.
struct FileName {
  uint32_t timeline = 0;
  uint64_t segment = 0;
  bool history = false;
  friend auto operator<=>(const FileName&, const FileName&) = default;
};
struct LogFile {
  std::vector<LogEntry> entries;
  bool complete = false;  // filled or switched: the log goes on in the next segment
  bool damaged = false;   // its bytes are not those that its checksum was made of
  std::vector<Branch> history;

  bool SameBytes(const LogFile& other) const;
};
// A lineage directory.
struct LineageKey {
  int database = 0;
  Epoch epoch;
  int host = 0;
  friend auto operator<=>(const LineageKey&, const LineageKey&) = default;
};
using Archive = std::map<std::pair<LineageKey, FileName>, std::shared_ptr<const LogFile>>;

enum class Spoil { kNone, kVanishes, kDamaged };

struct Share {
  ShareId id;
  Archive files;
  Archive under_mount_point;  // what was written while it was not mounted, by who did not look
  bool mounted = true;
  bool marked = true;  // its marker file is there
  bool full = false;
  int slowness = 1;              // how many times longer an access takes
  int home = 0;                  // whose it is: that of even hosts, or of odd ones
  std::optional<Archive> stale;  // all that the other site sees of it for now
  Spoil next = Spoil::kNone;     // what becomes of the next segment, as soon as it was shipped
  std::set<std::pair<LineageKey, FileName>> gone;  // shipped, and not there any more

  bool Readable() const { return mounted && marked; }
  const Archive& SeenFrom(int host) const {
    return stale.has_value() && host % 2 != home ? *stale : files;
  }
  void SpoilShipped(const Archive::iterator& shipped);
  bool HoldsDamaged() const;
  // Somebody takes the damaged files out of the way.
  void MoveDamagedAside();
};

// The data directory of one instance, its log included. Everything in it is on disk.
class DataDirectory {
 public:
  enum class Control { kStopped, kStoppedInRecovery, kRunning, kInRecovery };

  bool exists = true;
  bool half = false;  // marked as half seeded
  uint32_t timeline = 1;
  uint64_t end = kSegmentBytes;  // where the log ends
  std::vector<LogEntry> log;
  std::vector<Branch> history;
  Control control = Control::kStopped;
  uint64_t checkpoint = 0;
  bool standby_signal = false;
  std::vector<FileName> ready;  // marked `.ready`, oldest first
  std::set<FileName> done;      // shipped

  LogPosition Position() const { return {timeline, end}; }
  bool InRecovery() const {
    return control == Control::kInRecovery || control == Control::kStoppedInRecovery;
  }
  bool Whole() const { return exists && !half; }
  void Append(uint64_t id, int64_t message, int64_t at, int64_t dated);
  // Ends the present segment if something is in it.
  void Switch();
  // A clean stop's last record; a primary's only.
  void ShutDown(uint64_t id, int64_t at, int64_t dated);
  void Promote(uint32_t new_timeline);
  std::shared_ptr<const LogFile> Read(const FileName& name) const;
  // Segments of the present timeline up to `last` that are not shipped.
  std::vector<FileName> NotDone(uint64_t last) const;
  void MarkDone(const FileName& name);
  bool Holds(int64_t message) const;

  // Applies what `file`, the segment that holds `end`, has beyond it, up to `until`. True if it
  // moved.
  bool Apply(const LogFile& file, uint64_t until);

  // Goes on to `next` where `history` says that the present timeline was left.
  void EnterTimeline(uint32_t next, std::vector<Branch> left);
  // What it restored since it last wrote is not in its own log any more. PostgreSQL keeps it there
  // as long as a restart needs it; nobody else should rely on that.
  void ForgetRestored();
  // Where it stood then.
  LogPosition forgotten;

 private:
  struct OwnLog {
    uint32_t timeline = 1;
    uint64_t end = 0;
    std::vector<Branch> history;
  };
  void RememberOwn();
  std::optional<OwnLog> own_;  // before the first file was restored; none: all of it is its own

  uint64_t FirstOfTimeline() const { return history.empty() ? kSegmentBytes : history.back().lsn; }
};

// What was moved aside before its instance was seeded anew.
struct KeptData {
  std::string name;
  LogPosition fork;
  DataDirectory data;
  int64_t moved = 0;
};

// Does a lineage with this seal serve the file? (agent/guard: IsServed)
bool Served(const FileName& name, const std::optional<LogPosition>& sealed);

}  // namespace baton::sim
