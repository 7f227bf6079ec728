#include "common/os/file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include <sys/stat.h>

#include "common/base/status_macros.h"
#include "common/os/fd.h"

namespace baton {
namespace {

// Unique among all that write to one folder: processes differ by pid, threads by the count.
std::string TemporaryName(const std::string& path) {
  static std::atomic<unsigned> count{0};
  return absl::StrCat(path, ".tmp-", getpid(), "-", count.fetch_add(1));
}

absl::Status WriteNewFile(const std::string& path, std::string_view bytes, int mode) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot create", path);
  if (fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) {
    return ErrnoStatus(errno, "cannot set the permissions of", path);
  }
  BATON_RETURN_IF_ERROR(WriteAll(fd.get(), bytes, path));
  if (fsync(fd.get()) != 0) return ErrnoStatus(errno, "cannot sync", path);
  return absl::OkStatus();
}

}  // namespace

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string BaseName(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open", path);
  std::string bytes;
  char buffer[16384];
  while (true) {
    const ssize_t n = read(fd.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot read", path);
    if (n == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(n) > bytes_max) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, ": found more than ", bytes_max, " bytes, wanted at most that"));
    }
    bytes.append(buffer, static_cast<size_t>(n));
  }
}

absl::Status SyncDirectory(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open folder", path);
  if (fsync(fd.get()) != 0) return ErrnoStatus(errno, "cannot sync folder", path);
  return absl::OkStatus();
}

absl::Status WriteFileDurably(const std::string& path, std::string_view bytes, int mode) {
  const std::string temporary = TemporaryName(path);
  absl::Status written = WriteNewFile(temporary, bytes, mode);
  if (written.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    written = ErrnoStatus(errno, "cannot rename a new file to", path);
  }
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::Status TouchFileDurably(const std::string& path, int mode) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, mode));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot create", path);
  if (fsync(fd.get()) != 0) return ErrnoStatus(errno, "cannot sync", path);
  return SyncDirectory(DirectoryOf(path));
}

absl::Status MakeDirectories(const std::string& path, int mode) {
  if (mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return SyncDirectory(DirectoryOf(path));
  const int error = errno;
  struct stat found = {};
  if (error == EEXIST && stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) {
    return absl::OkStatus();
  }
  const std::string parent = DirectoryOf(path);
  if (error != ENOENT || parent == path || parent == ".") {
    return ErrnoStatus(error, "cannot make folder", path);
  }
  BATON_RETURN_IF_ERROR(MakeDirectories(parent, mode));
  if (mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "cannot make folder", path);
  }
  return SyncDirectory(parent);
}

absl::StatusOr<bool> Exists(const std::string& path) {
  struct stat found = {};
  if (lstat(path.c_str(), &found) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return ErrnoStatus(errno, "cannot look at", path);
}

absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path, size_t names_max) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
  if (folder == nullptr) return ErrnoStatus(errno, "cannot open folder", path);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr && errno != 0) return ErrnoStatus(errno, "cannot read folder", path);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == names_max) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, ": found more than ", names_max, " names, wanted at most that"));
    }
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace baton
