// A data directory as a whole: is it there, how big is it, how it is removed or copied so that a
// crash at any point leaves nothing that looks whole and isn't. Blocking; bounded by `live`, which
// is asked between pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton::postgresql {

using LiveFunction = std::function<absl::Status()>;

// The file beside a data directory that says it is half filled or half removed: the gate refuses it
// then.
std::string IncompleteMarker(const std::string& data_directory);

// Nothing that could be lost is there: no folder, an empty one, or one that is marked as half
// filled or half removed.
absl::StatusOr<bool> HoldsNoData(const std::string& data_directory);

// What a copy leaves free: logs, ledger and fence file may lie on the same filesystem.
inline constexpr uint64_t kSpareBytes = uint64_t{256} << 20;

// Of everything below `path`, as a copy without holes would need it. Links are not followed.
absl::StatusOr<uint64_t> TreeBytes(const std::string& path, const LiveFunction& live);
// Removes `path` and everything below it, if it is there.
absl::Status RemoveTree(const std::string& path, const LiveFunction& live);
// Empties a data directory behind its marker, which stays. A folder that cannot be removed itself
// (a mount point) stays, empty.
absl::Status ClearData(const std::string& data_directory, const LiveFunction& live);
// Makes `to` a copy of `from`, on disk when this returns OK; what is at `to` already is replaced.
absl::Status CopyTree(const std::string& from, const std::string& to, const LiveFunction& live);

// NO_ROOM when the filesystem of `folder`, or of its nearest parent that is there, has less free.
absl::Status CheckFreeBytes(const std::string& folder, uint64_t wanted, const std::string& what);

}  // namespace baton::postgresql
