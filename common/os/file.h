// Files that survive crashes: a reader sees the old bytes or the new ones, never a part, and what a
// function reported as written is there after a power cut.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

// The whole file. NOT_FOUND: there is none. RESOURCE_EXHAUSTED: longer than `bytes_max`, which is
// also the most that is ever held in memory.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max);

// Replaces `path` by `bytes` with permissions `mode`: temporary name in the same folder, fsync,
// rename, fsync of the folder. On error the old file is untouched.
absl::Status WriteFileDurably(const std::string& path, std::string_view bytes, int mode);

// Makes `path` an empty file unless it is there; durable either way.
absl::Status TouchFileDurably(const std::string& path, int mode);

// fsync of a folder: names made in it or removed from it before this call survive a power cut.
absl::Status SyncDirectory(const std::string& path);

// Like `mkdir -p`, durable. OK if it is there already.
absl::Status MakeDirectories(const std::string& path, int mode);

// True for anything that has this name, dangling links included. An error other than "not there"
// is returned: "cannot tell" is not "absent".
absl::StatusOr<bool> Exists(const std::string& path);

// Names in a folder, sorted, without "." and "..". NOT_FOUND: no such folder. RESOURCE_EXHAUSTED:
// more than `names_max`.
absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path, size_t names_max);

// The folder of a path: "/a/b" → "/a", "b" → ".".
std::string DirectoryOf(const std::string& path);
// The last component: "/a/b" → "b".
std::string BaseName(const std::string& path);

}  // namespace baton
