#include "agent/chat/xmpp_stream.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/os/fd.h"

namespace baton::chat {
namespace {

constexpr size_t kAnswerBytesMax = 64 * 1024;

std::string Name(const ClientListener& listener) {
  return absl::StrCat("chat server at ", listener.address, ":", listener.port);
}

struct AddressDeleter {
  void operator()(addrinfo* found) const { freeaddrinfo(found); }
};

// DEADLINE_EXCEEDED when `events` did not come before `deadline`.
absl::Status WaitFor(int fd, short events, const ClientListener& listener, absl::Duration deadline,
                     const Clock& clock) {
  while (true) {
    const absl::Duration left = deadline - clock.SinceBoot();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(absl::StrCat(Name(listener), " does not answer"));
    }
    pollfd polled = {fd, events, 0};
    const int64_t milliseconds = absl::ToInt64Milliseconds(left + absl::Microseconds(999));
    if (poll(&polled, 1, static_cast<int>(std::min<int64_t>(milliseconds, 60'000))) > 0) {
      return absl::OkStatus();
    }
  }
}

// Only a refusal proves that nobody listens.
absl::Status ConnectError(int error, const ClientListener& listener) {
  if (error == ECONNREFUSED) {
    return absl::UnavailableError(absl::StrCat(Name(listener), " refuses connections"));
  }
  return absl::UnknownError(ErrnoStatus(error, "cannot connect to", Name(listener)).message());
}

absl::StatusOr<Fd> Connect(const ClientListener& listener, absl::Duration deadline,
                           const Clock& clock) {
  addrinfo hints = {};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(listener.port);
  const int error = getaddrinfo(listener.address.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat(Name(listener), ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, AddressDeleter> address(found);
  Fd fd(socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make a socket for", Name(listener));
  if (connect(fd.get(), address->ai_addr, address->ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) return ConnectError(errno, listener);
  BATON_RETURN_IF_ERROR(WaitFor(fd.get(), POLLOUT, listener, deadline, clock));
  int failed = 0;
  socklen_t size = sizeof(failed);
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failed, &size);
  if (failed != 0) return ConnectError(failed, listener);
  return fd;
}

absl::Status ReadFeatures(int fd, const ClientListener& listener, absl::Duration deadline,
                          const Clock& clock) {
  std::string answer;
  while (answer.size() < kAnswerBytesMax) {
    BATON_RETURN_IF_ERROR(WaitFor(fd, POLLIN, listener, deadline, clock));
    char buffer[4096];
    const ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot read from", Name(listener));
    if (n == 0) {
      return absl::UnavailableError(absl::StrCat(Name(listener), " closed the connection"));
    }
    answer.append(buffer, static_cast<size_t>(n));
    if (answer.find("<stream:error") != std::string::npos) {
      return absl::FailedPreconditionError(
          absl::StrCat(Name(listener), " refuses a stream for ", listener.domain, ": ",
                       answer.substr(answer.find("<stream:error"), 300)));
    }
    if (answer.find("</stream:features>") != std::string::npos) {
      // Where encryption is required, STARTTLS is the only way on.
      if (answer.find("<mechanism") != std::string::npos ||
          answer.find("<starttls") != std::string::npos) {
        return absl::OkStatus();
      }
      break;
    }
  }
  return absl::FailedPreconditionError(
      absl::StrCat(Name(listener), " offers no way to log in to ", listener.domain));
}

}  // namespace

absl::Status OpenStream(const ClientListener& listener, absl::Duration timeout,
                        const Clock& clock) {
  const absl::Duration deadline = clock.SinceBoot() + timeout;
  BATON_ASSIGN_OR_RETURN(const Fd fd, Connect(listener, deadline, clock));
  const int now = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &now, sizeof(now));
  const std::string open = absl::StrCat("<?xml version='1.0'?><stream:stream to='", listener.domain,
                                        "' version='1.0' xmlns='jabber:client' ",
                                        "xmlns:stream='http://etherx.jabber.org/streams'>");
  // A fresh connection's buffer takes so short a text at once.
  if (send(fd.get(), open.data(), open.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(open.size())) {
    return absl::UnavailableError(absl::StrCat(Name(listener), " closed the connection"));
  }
  BATON_RETURN_IF_ERROR(ReadFeatures(fd.get(), listener, deadline, clock));
  constexpr std::string_view kEnd = "</stream:stream>";
  send(fd.get(), kEnd.data(), kEnd.size(), MSG_NOSIGNAL);
  return absl::OkStatus();
}

absl::Status RefusesClients(const ClientListener& listener, absl::Duration timeout,
                            const Clock& clock) {
  const absl::StatusOr<Fd> fd = Connect(listener, clock.SinceBoot() + timeout, clock);
  if (fd.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(Name(listener), " still accepts connections"));
  }
  return absl::IsUnavailable(fd.status()) ? absl::OkStatus() : fd.status();
}

}  // namespace baton::chat
