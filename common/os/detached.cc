#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <sys/wait.h>

#include "common/base/status_macros.h"
#include "common/os/process.h"

namespace baton {
namespace {

[[noreturn]] void BeGrandchild(char* const* argv, int input, int log, int failure) {
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  int error = 0;
  if (dup2(input, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
      close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    error = errno;
  } else {
    execve(argv[0], argv, environ);
    error = errno;
  }
  const ssize_t told = write(failure, &error, sizeof(error));
  _exit(told == sizeof(error) ? 125 : 124);
}

}  // namespace

absl::Status StartDetached(const std::vector<std::string>& argv, const std::string& log_file) {
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const Fd input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd log(open(log_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  if (!log.valid()) return ErrnoStatus(errno, "cannot open log", log_file);
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make", "a pipe");
  const Fd failure(fds[0]);
  Fd failure_write(fds[1]);
  const pid_t pid = _Fork();
  if (pid < 0) return ErrnoStatus(errno, "cannot fork for", argv[0]);
  if (pid == 0) {
    setsid();
    const pid_t grandchild = _Fork();
    if (grandchild == 0) BeGrandchild(pointers.data(), input.get(), log.get(), failure_write.get());
    _exit(grandchild < 0 ? 1 : 0);
  }
  failure_write.Reset();
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  int error = 0;
  if (read(failure.get(), &error, sizeof(error)) == sizeof(error)) {
    return ErrnoStatus(error, "cannot start", argv[0]);
  }
  if (status != 0) return ErrnoStatus(EAGAIN, "cannot fork for", argv[0]);
  return absl::OkStatus();
}

}  // namespace baton
