// PostgreSQL's log files ("segments") by name, and the folder pg_wal in which a cluster keeps them
// with its notes on what was archived. Blocking file access; thread-safe, as there is no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/protocol/position.h"

namespace baton::postgresql {

// A segment's identity: its name is timeline and number in hexadecimal, and the number's split
// depends on the segment size.
struct WalSegment {
  uint32_t timeline = 0;
  uint64_t number = 0;

  friend auto operator<=>(const WalSegment&, const WalSegment&) = default;
  friend bool operator==(const WalSegment&, const WalSegment&) = default;
};

std::string WalSegmentName(const WalSegment& segment, uint64_t segment_bytes);
// None unless `name` is exactly 24 hexadecimal digits, capitals as PostgreSQL writes them.
std::optional<WalSegment> ParseWalSegmentName(std::string_view name, uint64_t segment_bytes);
WalSegment WalSegmentOf(const LogPosition& position, uint64_t segment_bytes);

// The segment that a startup process's title names ("postgres: startup recovering 0000…0003"), and
// whether it waits for it. None when the title names none.
struct StartupTitle {
  std::string segment;
  bool waiting = false;
};
std::optional<StartupTitle> ParseStartupTitle(std::string_view title);

// Where a timeline began: the position at which it left its parent, from the last line of its
// history file's text. The position carries the new timeline. INVALID_ARGUMENT when not understood.
absl::StatusOr<LogPosition> ParseTimelineStart(std::string_view history, uint32_t timeline);

// The order in which PostgreSQL's archiver ships: history files first, then by name.
void SortAsArchiver(std::vector<std::string>* names);

// pg_wal of one cluster.
class WalFolder {
 public:
  WalFolder(std::string data_directory, uint64_t segment_bytes);

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  // Names of the files marked `.ready`, in the archiver's order.
  absl::StatusOr<std::vector<std::string>> Ready() const;
  // What the archiver does after shipping: `.ready` becomes `.done`, durably. NOT_FOUND when it was
  // not marked ready.
  absl::Status MarkDone(const std::string& name) const;
  bool IsDone(const std::string& name) const;
  bool IsReady(const std::string& name) const;
  // The segments of `timeline` that really hold log of their own number (a recycled file carries
  // the address of its former life in its first page) and are not marked done, in order.
  absl::StatusOr<std::vector<WalSegment>> NotDone(uint32_t timeline) const;
  // Is `segment` there, holding log of its own number? An error: it is there and cannot be read,
  // which says nothing of what it holds.
  absl::StatusOr<bool> Holds(const WalSegment& segment) const;
  // Start of `timeline` from its history file. NOT_FOUND: no such file.
  absl::StatusOr<LogPosition> TimelineStart(uint32_t timeline) const;

 private:
  std::string folder_;
  uint64_t segment_bytes_;
};

}  // namespace baton::postgresql
