#include "common/runtime/daemon.h"

#include <cstdio>

#include "absl/strings/str_cat.h"

#include "common/base/strings.h"

namespace baton {

std::variant<std::string, int> ReadCommandLine(std::string_view program, std::string_view help,
                                               int argc, char** argv) {
  const std::string flag = argc >= 2 ? argv[1] : "";
  if (argc == 2 && (flag == "--help" || flag == "-h")) {
    std::fputs(std::string(help).c_str(), stdout);
    return kExitOk;
  }
  if (argc == 2 && flag == "--version") {
    std::printf("%s %s\n", std::string(program).c_str(), BATON_VERSION);
    return kExitOk;
  }
  if (argc == 3 && flag == "--config") return std::string(argv[2]);
  std::string found = argc < 2 ? "nothing" : "";
  for (int i = 1; i < argc; ++i) absl::StrAppend(&found, i > 1 ? " " : "", argv[i]);
  return ExitWith(kExitUsage, program,
                  absl::InvalidArgumentError(absl::StrCat("arguments: found ", Printable(found),
                                                          ", wanted --config FILE; see ",
                                                          ToAbsl(program), " --help")));
}

int ExitWith(int code, std::string_view program, const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", std::string(program).c_str(),
               std::string(status.message()).c_str());
  return code;
}

sigset_t BlockEndSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

}  // namespace baton
