// Ownership of file descriptors, and errors made from errno.
#pragma once

#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace baton {

// Owns one descriptor and closes it. Thread-compatible.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

// A status for `error` (an errno value): "WHAT SUBJECT: reason". NOT_FOUND for ENOENT,
// PERMISSION_DENIED for EACCES and EPERM, RESOURCE_EXHAUSTED for a full disk, else UNAVAILABLE.
absl::Status ErrnoStatus(int error, std::string_view what, std::string_view subject);

// Writes all of `bytes`, whatever write() makes of it.
absl::Status WriteAll(int fd, std::string_view bytes, std::string_view subject);

}  // namespace baton
