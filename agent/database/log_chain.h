// Which of the log that an archive holds a standby can get to, one file after the other.
#pragma once

#include <cstdint>
#include <string>

#include "agent/core/host_ports.h"
#include "common/protocol/position.h"

namespace baton::postgresql {

struct LogChain {
  // The last byte of the last file before which none is missing, on that file's timeline, or on a
  // later one that is known to begin right after it. Before `from` when there is nothing for it.
  LogPosition end;
  std::string gap;  // the file that is missing although later ones are there; empty: none
};

// From the replay position `from` on, along the timelines that `log` knows of. Pure.
LogChain FollowChain(const LogPosition& from, const ArchivedLog& log, uint64_t segment_bytes);

// Bytes of the chain that lie beyond `from`. The file that is being replayed counts as applied: how
// much of it is filled is not known. Pure.
uint64_t BytesBeyond(const LogPosition& from, const LogChain& chain, uint64_t segment_bytes);

}  // namespace baton::postgresql
