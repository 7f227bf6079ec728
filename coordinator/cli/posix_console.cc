#include "coordinator/cli/posix_console.h"

#include <cerrno>
#include <cstdlib>
#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace baton {
namespace {

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace

void PosixConsole::Print(std::string_view text) { WriteAll(STDOUT_FILENO, text); }
void PosixConsole::Note(std::string_view text) { WriteAll(STDERR_FILENO, text); }

bool PosixConsole::interactive() const {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

Console::Size PosixConsole::size() const {
  winsize window{};
  Size size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0) {
    size.columns = window.ws_col;
    size.rows = window.ws_row;
  }
  return size;
}

bool PosixConsole::Confirm(std::string_view question) {
  Note(absl::StrCat(std::string(question), " [y/N] "));
  std::string answer;
  char c = 0;
  while (answer.size() < 100 && read(STDIN_FILENO, &c, 1) == 1 && c != '\n') answer += c;
  absl::AsciiStrToLower(&answer);
  absl::StripAsciiWhitespace(&answer);
  return answer == "y" || answer == "yes";
}

std::string WhoAsks() {
  std::string user;
  if (const char* caller = std::getenv("SUDO_USER"); caller != nullptr && getuid() == 0) {
    user = caller;
  }
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (user.empty() && getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    user = found->pw_name;
  }
  if (user.empty()) user = absl::StrCat("uid ", getuid());
  char host[256] = "";
  if (gethostname(host, sizeof host - 1) != 0) return user;
  return absl::StrCat(user, "@", host);
}

}  // namespace baton
