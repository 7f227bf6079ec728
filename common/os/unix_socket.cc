#include "common/os/unix_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/status_macros.h"
#include "common/os/monotonic.h"

namespace baton {
namespace {

absl::StatusOr<sockaddr_un> Address(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket ", path, ": found a path of ", path.size(), " bytes, wanted at most ",
                     sizeof(address.sun_path) - 1, "; choose a shorter run_directory"));
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

absl::Status WaitFor(int fd, short events, absl::Duration deadline, const std::string& path) {
  while (true) {
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(absl::StrCat("socket ", path, ": no answer in time"));
    }
    pollfd polled = {fd, events, 0};
    const int64_t wait = absl::ToInt64Milliseconds(left) + 1;
    if (poll(&polled, 1, static_cast<int>(std::min<int64_t>(wait, 1 << 30))) > 0) {
      return absl::OkStatus();
    }
  }
}

}  // namespace

absl::StatusOr<Fd> ListenUnix(const std::string& path) {
  BATON_ASSIGN_OR_RETURN(const sockaddr_un address, Address(path));
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make socket", path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return ErrnoStatus(errno, "cannot remove", path);
  }
  const mode_t before = umask(0177);
  const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  umask(before);
  if (bound != 0) return ErrnoStatus(error, "cannot bind socket", path);
  if (listen(fd.get(), 16) != 0) return ErrnoStatus(errno, "cannot listen at", path);
  return fd;
}

absl::StatusOr<std::string> AskUnix(const std::string& path, std::string_view question,
                                    absl::Duration timeout, size_t answer_bytes_max) {
  const absl::Duration deadline = MonotonicNow() + timeout;
  BATON_ASSIGN_OR_RETURN(const sockaddr_un address, Address(path));
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make socket", path);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::UnavailableError(ErrnoStatus(errno, "cannot reach socket", path).message());
  }
  if (send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(question.size())) {
    return absl::UnavailableError(ErrnoStatus(errno, "cannot write to socket", path).message());
  }
  std::string answer;
  char buffer[4096];
  while (true) {
    const ssize_t n = read(fd.get(), buffer, sizeof(buffer));
    if (n == 0) break;
    if (n > 0) {
      answer.append(buffer, static_cast<size_t>(n));
      if (answer.size() > answer_bytes_max) {
        return absl::ResourceExhaustedError(absl::StrCat("socket ", path, ": answer too long"));
      }
    } else if (errno == EAGAIN) {
      BATON_RETURN_IF_ERROR(WaitFor(fd.get(), POLLIN, deadline, path));
    } else if (errno != EINTR) {
      return absl::UnavailableError(ErrnoStatus(errno, "cannot read from", path).message());
    }
  }
  if (answer.empty()) {
    return absl::UnavailableError(absl::StrCat("socket ", path, ": closed without an answer"));
  }
  return answer;
}

}  // namespace baton
