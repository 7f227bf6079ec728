// One file of an archive, and the checksum beside it. NAME holds the log file's own bytes, so that
// it can be restored by hand; NAME.sum holds "CRC32C BYTES". The sum is there before the file is:
// it is the claim on the name, so that two writers of different bytes cannot both succeed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

struct FileSum {
  uint32_t crc32c = 0;
  uint64_t bytes = 0;

  std::string ToString() const;
  friend bool operator==(const FileSum&, const FileSum&) = default;
};

// NOT_FOUND, or DATA_LOSS when it is not understood.
absl::StatusOr<FileSum> ReadFileSum(const std::string& directory, const std::string& name);

// Called after each piece with the bytes done so far.
using PieceFunction = std::function<void(uint64_t)>;

// Makes `directory`/`name` a copy of `source`: whole or not at all, on disk when this returns OK.
// OK too when it is there already with the same bytes. ALREADY_EXISTS: with other bytes; nothing is
// overwritten, ever. With `wanted`, DATA_LOSS when `source` does not have that sum.
absl::StatusOr<FileSum> PublishFile(const std::string& source, const std::string& directory,
                                    const std::string& name, const std::optional<FileSum>& wanted,
                                    const PieceFunction& piece);

// Copies `directory`/`name` to `target` (replaced; not synced) if its bytes have the sum beside it.
// NOT_FOUND; DATA_LOSS when they do not: `target` is then left as it was.
absl::Status RestoreFile(const std::string& directory, const std::string& name,
                         const std::string& target);

// Bytes of a published file. NOT_FOUND when it or its sum is not there. DATA_LOSS when its length
// is not what its sum says.
absl::StatusOr<uint64_t> PublishedBytes(const std::string& directory, const std::string& name);

}  // namespace baton
