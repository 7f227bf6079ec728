#include "agent/guard/archived_file.h"

#include <cerrno>
#include <fcntl.h>
#include <stdio.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

#include "common/base/crc32c.h"
#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/monotonic.h"

namespace baton {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;

// A file without a name in `directory`, so that a crash leaves nothing behind; under a temporary
// name where the filesystem knows no such files.
class NewFile {
 public:
  static absl::StatusOr<NewFile> Make(const std::string& directory, const std::string& name) {
    NewFile file;
    file.fd_.Reset(open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644));
    if (file.fd_.valid()) return file;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
      return ErrnoStatus(errno, "cannot write in", directory);
    }
    // A name that a dead writer's leftover does not have.
    file.name_ = absl::StrCat(directory, "/.", name, ".tmp-", getpid(), "-",
                              absl::ToInt64Nanoseconds(MonotonicNow()));
    file.fd_.Reset(open(file.name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file.fd_.valid()) return ErrnoStatus(errno, "cannot create", file.name_);
    return file;
  }
  NewFile(NewFile&& other) noexcept
      : fd_(std::move(other.fd_)), name_(std::exchange(other.name_, std::string())) {}
  ~NewFile() {
    if (!name_.empty()) unlink(name_.c_str());
  }

  int fd() const { return fd_.get(); }

  absl::Status Sync(const std::string& for_whom) const {
    if (fsync(fd_.get()) != 0) return ErrnoStatus(errno, "cannot sync a new file for", for_whom);
    return absl::OkStatus();
  }

  // Gives it the name `path` unless that is taken: ALREADY_EXISTS.
  absl::Status Name(const std::string& path) {
    const std::string source = name_.empty() ? absl::StrCat("/proc/self/fd/", fd_.get()) : name_;
    if (linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      return absl::OkStatus();
    }
    int error = errno;
    if (error != EEXIST && !name_.empty() &&
        renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
      name_.clear();
      return absl::OkStatus();
    }
    if (error != EEXIST && !name_.empty()) error = errno;
    return ErrnoStatus(error, "cannot name", path);
  }

 private:
  NewFile() = default;

  Fd fd_;
  std::string name_;
};

// Reads `path` to its end; gives every piece to `use`, whose error ends it.
absl::StatusOr<FileSum> ForEachPiece(const std::string& path,
                                     const std::function<absl::Status(std::string_view)>& use,
                                     const PieceFunction& piece) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open", path);
  std::vector<char> buffer(kPieceBytes);
  FileSum sum;
  while (true) {
    const ssize_t n = read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot read", path);
    if (n == 0) return sum;
    const std::string_view bytes(buffer.data(), static_cast<size_t>(n));
    sum.crc32c = Crc32c(bytes, sum.crc32c);
    sum.bytes += bytes.size();
    if (use != nullptr) BATON_RETURN_IF_ERROR(use(bytes));
    if (piece != nullptr) piece(sum.bytes);
  }
}

absl::StatusOr<FileSum> CopyInto(const std::string& source, int fd, const std::string& target,
                                 const PieceFunction& piece) {
  return ForEachPiece(
      source, [&](std::string_view bytes) { return WriteAll(fd, bytes, target); }, piece);
}

absl::Status Differs(const std::string& path, const FileSum& found, const FileSum& wanted) {
  return absl::DataLossError(absl::StrCat(path, ": found bytes with checksum ", found.ToString(),
                                          ", wanted ", wanted.ToString(),
                                          "; move the damaged file aside"));
}

// Claims the name by its sum. ALREADY_EXISTS when it is claimed for other bytes.
absl::Status Claim(const std::string& directory, const std::string& name, const FileSum& sum) {
  const std::string path = absl::StrCat(directory, "/", name, ".sum");
  absl::StatusOr<FileSum> claimed = ReadFileSum(directory, name);
  if (absl::IsNotFound(claimed.status())) {
    BATON_ASSIGN_OR_RETURN(NewFile file, NewFile::Make(directory, name));
    BATON_RETURN_IF_ERROR(WriteAll(file.fd(), sum.ToString() + "\n", path));
    BATON_RETURN_IF_ERROR(file.Sync(path));
    const absl::Status named = file.Name(path);
    if (!absl::IsAlreadyExists(named)) return named;
    claimed = ReadFileSum(directory, name);
  }
  if (!claimed.ok()) return claimed.status();
  if (*claimed == sum) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      directory, "/", name, ": found it claimed for other bytes (checksum ", claimed->ToString(),
      "), wanted ", sum.ToString(), "; two instances may have written one log"));
}

// OK when the file is there with these very bytes. NOT_FOUND when it is not there.
absl::Status VerifyPublished(const std::string& path, const FileSum& wanted,
                             const PieceFunction& piece) {
  BATON_ASSIGN_OR_RETURN(const FileSum found, ForEachPiece(path, nullptr, piece));
  return found == wanted ? absl::OkStatus() : Differs(path, found, wanted);
}

}  // namespace

std::string FileSum::ToString() const { return absl::StrFormat("%08x %d", crc32c, bytes); }

absl::StatusOr<FileSum> ReadFileSum(const std::string& directory, const std::string& name) {
  const std::string path = absl::StrCat(directory, "/", name, ".sum");
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, 256));
  const std::vector<std::string> words =
      absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  FileSum sum;
  if (words.size() != 2 || !absl::SimpleHexAtoi(words[0], &sum.crc32c) ||
      !absl::SimpleAtoi(words[1], &sum.bytes) || text != sum.ToString() + "\n") {
    return absl::DataLossError(
        absl::StrCat(path, ": found no checksum in it, wanted CRC32C BYTES; move it aside"));
  }
  return sum;
}

absl::StatusOr<FileSum> PublishFile(const std::string& source, const std::string& directory,
                                    const std::string& name, const std::optional<FileSum>& wanted,
                                    const PieceFunction& piece) {
  const std::string path = absl::StrCat(directory, "/", name);
  BATON_RETURN_IF_ERROR(MakeDirectories(directory, 0755));
  BATON_ASSIGN_OR_RETURN(const bool there, Exists(path));
  if (there) {
    BATON_ASSIGN_OR_RETURN(const FileSum sum, ForEachPiece(source, nullptr, piece));
    if (wanted.has_value() && sum != *wanted) return Differs(source, sum, *wanted);
    BATON_RETURN_IF_ERROR(Claim(directory, name, sum));
    BATON_RETURN_IF_ERROR(VerifyPublished(path, sum, piece));
    BATON_RETURN_IF_ERROR(SyncDirectory(directory));
    return sum;
  }
  BATON_ASSIGN_OR_RETURN(NewFile file, NewFile::Make(directory, name));
  BATON_ASSIGN_OR_RETURN(const FileSum sum, CopyInto(source, file.fd(), path, piece));
  if (wanted.has_value() && sum != *wanted) return Differs(source, sum, *wanted);
  BATON_RETURN_IF_ERROR(file.Sync(path));
  BATON_RETURN_IF_ERROR(Claim(directory, name, sum));
  const absl::Status named = file.Name(path);
  if (absl::IsAlreadyExists(named)) {
    BATON_RETURN_IF_ERROR(VerifyPublished(path, sum, piece));
  } else {
    BATON_RETURN_IF_ERROR(named);
  }
  BATON_RETURN_IF_ERROR(SyncDirectory(directory));
  return sum;
}

absl::Status RestoreFile(const std::string& directory, const std::string& name,
                         const std::string& target) {
  const std::string path = absl::StrCat(directory, "/", name);
  BATON_ASSIGN_OR_RETURN(const bool there, Exists(path));
  if (!there) return absl::NotFoundError(absl::StrCat(path, ": not there"));
  const absl::StatusOr<FileSum> wanted = ReadFileSum(directory, name);
  if (absl::IsNotFound(wanted.status())) {
    return absl::DataLossError(
        absl::StrCat(path, ": found no checksum beside it, wanted ", name, ".sum"));
  }
  if (!wanted.ok()) return wanted.status();
  const std::string temporary = target + ".baton-fetching";
  const Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot create", temporary);
  const absl::StatusOr<FileSum> copied = CopyInto(path, fd.get(), temporary, nullptr);
  absl::Status result = copied.ok() ? absl::OkStatus() : absl::Status(copied.status());
  if (copied.ok() && *copied != *wanted) result = Differs(path, *copied, *wanted);
  if (result.ok() && rename(temporary.c_str(), target.c_str()) != 0) {
    result = ErrnoStatus(errno, "cannot rename a new file to", target);
  }
  if (!result.ok()) unlink(temporary.c_str());
  return result;
}

absl::StatusOr<uint64_t> PublishedBytes(const std::string& directory, const std::string& name) {
  const std::string path = absl::StrCat(directory, "/", name);
  struct stat found = {};
  if (lstat(path.c_str(), &found) != 0) return ErrnoStatus(errno, "cannot look at", path);
  BATON_ASSIGN_OR_RETURN(const FileSum sum, ReadFileSum(directory, name));
  if (sum.bytes == static_cast<uint64_t>(found.st_size)) return sum.bytes;
  return absl::DataLossError(absl::StrCat(path, ": found ", found.st_size, " bytes, wanted ",
                                          sum.bytes, "; move the damaged file aside"));
}

}  // namespace baton
