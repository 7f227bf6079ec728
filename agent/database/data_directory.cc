#include "agent/database/data_directory.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"

#include "agent/core/action_status.h"
#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNamesMax = 1 << 20;
constexpr size_t kPieceBytes = 1 << 20;

absl::Status FsStatus(const std::error_code& error, const char* what, const std::string& path) {
  return error ? ErrnoStatus(error.value(), what, path) : absl::OkStatus();
}

// Calls `use` for everything below `path`, folders before what they hold.
absl::Status Walk(const std::string& path, const LiveFunction& live,
                  const std::function<absl::Status(const fs::directory_entry&)>& use) {
  std::error_code error;
  fs::recursive_directory_iterator entry(path, error);
  BATON_RETURN_IF_ERROR(FsStatus(error, "cannot list", path));
  while (entry != fs::recursive_directory_iterator()) {
    BATON_RETURN_IF_ERROR(live());
    BATON_RETURN_IF_ERROR(use(*entry));
    entry.increment(error);
    BATON_RETURN_IF_ERROR(FsStatus(error, "cannot list", path));
  }
  return absl::OkStatus();
}

absl::Status CopyFile(const std::string& from, const std::string& to, mode_t mode,
                      const LiveFunction& live) {
  const Fd in(open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!in.valid()) return ErrnoStatus(errno, "cannot open", from);
  const Fd out(open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!out.valid()) return ErrnoStatus(errno, "cannot create", to);
  std::vector<char> buffer(kPieceBytes);
  while (true) {
    BATON_RETURN_IF_ERROR(live());
    const ssize_t got = read(in.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read", from);
    if (got == 0) break;
    BATON_RETURN_IF_ERROR(WriteAll(out.get(), {buffer.data(), static_cast<size_t>(got)}, to));
  }
  if (fsync(out.get()) != 0) return ErrnoStatus(errno, "cannot sync", to);
  return absl::OkStatus();
}

absl::Status CopyEntry(const fs::directory_entry& entry, const std::string& to,
                       const LiveFunction& live) {
  const std::string from = entry.path().string();
  struct stat info = {};
  if (lstat(from.c_str(), &info) != 0) return ErrnoStatus(errno, "cannot look at", from);
  if (S_ISDIR(info.st_mode)) {
    if (mkdir(to.c_str(), info.st_mode & 07777) == 0) return absl::OkStatus();
    return ErrnoStatus(errno, "cannot make", to);
  }
  if (S_ISREG(info.st_mode)) return CopyFile(from, to, info.st_mode & 07777, live);
  return absl::FailedPreconditionError(
      absl::StrCat(from, ": found neither a file nor a folder, wanted data that can be copied"));
}

}  // namespace

std::string IncompleteMarker(const std::string& data_directory) {
  return data_directory + ".baton-incomplete";
}

absl::StatusOr<bool> HoldsNoData(const std::string& data_directory) {
  BATON_ASSIGN_OR_RETURN(const bool marked, Exists(IncompleteMarker(data_directory)));
  if (marked) return true;
  const absl::StatusOr<std::vector<std::string>> names = ListDirectory(data_directory, kNamesMax);
  if (absl::IsNotFound(names.status())) return true;
  if (!names.ok()) return names.status();
  return std::all_of(names->begin(), names->end(),
                     [](const std::string& name) { return name == "standby.signal"; });
}

absl::StatusOr<uint64_t> TreeBytes(const std::string& path, const LiveFunction& live) {
  uint64_t bytes = 0;
  BATON_RETURN_IF_ERROR(Walk(path, live, [&bytes](const fs::directory_entry& entry) {
    struct stat info = {};
    if (lstat(entry.path().c_str(), &info) == 0) {
      bytes += std::max(uint64_t(info.st_blocks) * 512, uint64_t(info.st_size));
    }
    return absl::OkStatus();
  }));
  return bytes;
}

absl::Status RemoveTree(const std::string& path, const LiveFunction& live) {
  BATON_ASSIGN_OR_RETURN(const bool there, Exists(path));
  if (!there) return absl::OkStatus();
  std::vector<std::string> folders = {path};
  std::error_code error;
  if (fs::symlink_status(path, error).type() != fs::file_type::directory) {
    fs::remove(path, error);
    return FsStatus(error, "cannot remove", path);
  }
  std::vector<std::string> files;
  BATON_RETURN_IF_ERROR(Walk(path, live, [&](const fs::directory_entry& entry) {
    const bool folder = entry.symlink_status().type() == fs::file_type::directory;
    (folder ? folders : files).push_back(entry.path().string());
    return absl::OkStatus();
  }));
  for (const std::string& file : files) {
    BATON_RETURN_IF_ERROR(live());
    if (unlink(file.c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus(errno, "cannot remove", file);
    }
  }
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (rmdir(folder->c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus(errno, "cannot remove", *folder);
    }
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::Status ClearData(const std::string& data_directory, const LiveFunction& live) {
  BATON_RETURN_IF_ERROR(TouchFileDurably(IncompleteMarker(data_directory), 0644));
  const absl::StatusOr<std::vector<std::string>> names = ListDirectory(data_directory, kNamesMax);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    BATON_RETURN_IF_ERROR(RemoveTree(absl::StrCat(data_directory, "/", name), live));
  }
  rmdir(data_directory.c_str());
  return SyncDirectory(DirectoryOf(data_directory));
}

absl::Status CopyTree(const std::string& from, const std::string& to, const LiveFunction& live) {
  BATON_RETURN_IF_ERROR(RemoveTree(to, live));
  if (mkdir(to.c_str(), 0700) != 0) return ErrnoStatus(errno, "cannot make", to);
  std::vector<std::string> folders = {to};
  BATON_RETURN_IF_ERROR(Walk(from, live, [&](const fs::directory_entry& entry) {
    const std::string target = to + entry.path().string().substr(from.size());
    if (entry.symlink_status().type() == fs::file_type::directory) folders.push_back(target);
    return CopyEntry(entry, target, live);
  }));
  for (const std::string& folder : folders) BATON_RETURN_IF_ERROR(SyncDirectory(folder));
  return SyncDirectory(DirectoryOf(to));
}

absl::Status CheckFreeBytes(const std::string& folder, uint64_t wanted, const std::string& what) {
  std::string there = folder;
  struct statvfs info = {};
  while (statvfs(there.c_str(), &info) != 0) {
    if (errno != ENOENT || there == "/" || there == ".") {
      return ErrnoStatus(errno, "cannot look at", there);
    }
    there = DirectoryOf(there);
  }
  const uint64_t free = uint64_t{info.f_bavail} * info.f_frsize;
  if (free >= wanted) return absl::OkStatus();
  return agent::Failure("NO_ROOM", absl::StrCat(there, ": found ", free, " bytes free, wanted ",
                                                wanted, " for ", what));
}

}  // namespace baton::postgresql
