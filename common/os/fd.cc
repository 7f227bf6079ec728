#include "common/os/fd.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "common/base/strings.h"

namespace baton {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EACCES:
    case EPERM:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

void Fd::Reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

absl::Status ErrnoStatus(int error, std::string_view what, std::string_view subject) {
  char buffer[128];
  return absl::Status(CodeOf(error), absl::StrCat(ToAbsl(what), " ", ToAbsl(subject), ": ",
                                                  strerror_r(error, buffer, sizeof(buffer))));
}

absl::Status WriteAll(int fd, std::string_view bytes, std::string_view subject) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot write", subject);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

}  // namespace baton
