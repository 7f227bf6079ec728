#include "agent/database/log_chain.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_format.h"

#include "agent/database/wal_files.h"

namespace baton::postgresql {
namespace {

class Chain {
 public:
  Chain(const LogPosition& from, const ArchivedLog& log, uint64_t segment_bytes)
      : from_(from), log_(log), segment_bytes_(segment_bytes) {
    // A timeline that left before `from` is no future of it. Of two that share a number the newest
    // lineage's counts, as it does for whoever fetches.
    std::map<uint32_t, size_t> told_by;
    for (const ArchivedLog::Fork& fork : log.forks) {
      if (fork.timeline <= from.timeline || fork.lsn < from.lsn) continue;
      const auto known = told_by.find(fork.timeline);
      if (known != told_by.end() && known->second > fork.lineage) continue;
      told_by[fork.timeline] = fork.lineage;
      starts_[fork.timeline] = fork.lsn;
    }
  }

  // The timeline on which file `number` is wanted.
  uint32_t Wanted(uint64_t number) const {
    uint32_t wanted = from_.timeline;
    for (const auto& [timeline, lsn] : starts_) {
      if (lsn / segment_bytes_ <= number) wanted = std::max(wanted, timeline);
    }
    return wanted;
  }

  bool IsThere(uint64_t number) const {
    const uint32_t timeline = Wanted(number);
    return std::any_of(log_.runs.begin(), log_.runs.end(), [&](const ArchivedLog::Run& run) {
      return run.timeline == timeline && run.first <= number && number <= run.last;
    });
  }

  // What keeps replay from going on at `number`, though there is more.
  std::string GapAt(uint64_t number) const {
    const uint32_t wanted = Wanted(number);
    for (const ArchivedLog::Run& run : log_.runs) {
      if (run.timeline <= wanted || starts_.count(run.timeline) != 0 || run.last < number) continue;
      if (!LeftEarlier(run.timeline)) return absl::StrFormat("%08X.history", run.timeline);
    }
    for (const ArchivedLog::Run& run : log_.runs) {
      if (run.timeline >= wanted && !LeftEarlier(run.timeline) && run.last > number) {
        return WalSegmentName({wanted, number}, segment_bytes_);
      }
    }
    return "";
  }

 private:
  bool LeftEarlier(uint32_t timeline) const {
    return std::any_of(log_.forks.begin(), log_.forks.end(), [&](const ArchivedLog::Fork& fork) {
      return fork.timeline == timeline && timeline > from_.timeline && fork.lsn < from_.lsn;
    });
  }

  const LogPosition from_;
  const ArchivedLog& log_;
  const uint64_t segment_bytes_;
  std::map<uint32_t, uint64_t> starts_;
};

}  // namespace

LogChain FollowChain(const LogPosition& from, const ArchivedLog& log, uint64_t segment_bytes) {
  const Chain chain(from, log, segment_bytes);
  uint64_t number = from.lsn / segment_bytes;
  while (chain.IsThere(number)) ++number;
  LogChain found;
  found.end = {chain.Wanted(number), std::max<uint64_t>(number * segment_bytes, 1) - 1};
  found.gap = chain.GapAt(number);
  return found;
}

uint64_t BytesBeyond(const LogPosition& from, const LogChain& chain, uint64_t segment_bytes) {
  if (chain.end.lsn / segment_bytes <= from.lsn / segment_bytes || chain.end.lsn < from.lsn) {
    return 0;
  }
  return chain.end.lsn + 1 - from.lsn;
}

}  // namespace baton::postgresql
