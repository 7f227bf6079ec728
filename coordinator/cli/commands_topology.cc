#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "common/rpc/text.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"
#include "coordinator/config/topology_config.h"

namespace baton {
namespace {

// Longer ones are refused by the parser; this only bounds what is read.
constexpr size_t kFileBytesMax = (1 << 20) + 1;

// The file, or standard input for "-".
absl::StatusOr<std::string> ReadText(const std::string& path) {
  const int fd = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  ssize_t count = fd < 0 ? -1 : 1;
  while (count > 0 && text.size() < kFileBytesMax) {
    char bytes[16384];
    count = read(fd, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR)
      count = 1;
    else if (count > 0)
      text.append(bytes, static_cast<size_t>(count));
  }
  const int error = errno;
  if (fd > STDERR_FILENO) close(fd);
  if (count < 0) {
    return absl::NotFoundError(absl::StrCat("topology file ", path, ": found ",
                                            std::strerror(error),
                                            ", wanted a readable file; name another one, or - for "
                                            "standard input"));
  }
  return text;
}

// As messages call it: short enough for the coordinator, the file's own name kept.
std::string NameOf(const std::string& path) {
  if (path == "-") return "standard input";
  return path.size() <= kNameBytesMax ? path : path.substr(path.size() - kNameBytesMax);
}

// A topology that breaks a rule is refused, not misused. Its problems stand in lines of their own,
// "FILE:LINE: …", as editors know them.
ExitCode FailTopology(const Terminal& terminal, const absl::Status& status) {
  if (status.code() != absl::StatusCode::kInvalidArgument) return Fail(terminal, status);
  terminal.console.Note(absl::StrCat(Printable(std::string(status.message())),
                                     "\nbaton: the topology is refused, nothing was changed\n"));
  return ExitCode::kRefused;
}

absl::StatusOr<v1::Topology> Submit(const Options& options, const std::string& text,
                                    bool validate_only, Client& client) {
  v1::ApplyTopologyRequest request;
  request.set_text(text);
  request.set_file_name(NameOf(options.file));
  request.set_validate_only(validate_only);
  request.set_allow_coordinator_at_home(options.allow_coordinator_at_home);
  request.set_requested_by(options.requested_by);
  if (!validate_only) {
    request.set_request_id(options.request_id);
    request.set_reason(options.reason);
  }
  return client.ApplyTopology(request);
}

ExitCode ValidateOffline(const Options& options, const std::string& text,
                         const Terminal& terminal) {
  const TopologyOptions rules{.allow_coordinator_at_home = options.allow_coordinator_at_home};
  const absl::StatusOr<Topology> topology = ParseTopology(text, NameOf(options.file), rules);
  if (!topology.ok()) return FailTopology(terminal, topology.status());
  terminal.console.Print(absl::StrCat(NameOf(options.file), " is valid: ", topology->sites.size(),
                                      " sites, ", topology->hosts.size(), " hosts, ",
                                      topology->pools.size(), " pools\n"));
  return ExitCode::kDone;
}

}  // namespace

ExitCode RunTopologyValidate(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<std::string> text = ReadText(options.file);
  if (!text.ok()) return Fail(terminal, text.status());
  if (options.offline) return ValidateOffline(options, *text, terminal);
  const absl::StatusOr<v1::Topology> answer = Submit(options, *text, true, client);
  if (!answer.ok()) return FailTopology(terminal, answer.status());
  if (options.output == Output::kJson) {
    terminal.console.Print(ToJson(*answer, true));
  } else if (answer->changes().empty()) {
    terminal.console.Print(absl::StrCat(NameOf(options.file), " is valid and changes nothing\n"));
  } else {
    terminal.console.Print(absl::StrCat(NameOf(options.file), " is valid and would change:\n",
                                        FormatChanges(*answer)));
  }
  return ExitCode::kDone;
}

ExitCode RunTopologyApply(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<std::string> text = ReadText(options.file);
  if (!text.ok()) return Fail(terminal, text.status());
  if (terminal.console.interactive() && !options.yes) {
    const absl::StatusOr<v1::Topology> preview = Submit(options, *text, true, client);
    if (!preview.ok()) return FailTopology(terminal, preview.status());
    terminal.console.Note(
        absl::StrCat(NameOf(options.file), " would change:\n",
                     preview->changes().empty() ? "  nothing\n" : FormatChanges(*preview)));
    if (!terminal.console.Confirm("Apply it?")) return ExitCode::kDeclined;
  }
  const absl::StatusOr<v1::Topology> applied = Submit(options, *text, false, client);
  if (!applied.ok()) return FailTopology(terminal, applied.status());
  if (options.output == Output::kJson) {
    terminal.console.Print(ToJson(*applied, true));
  } else {
    terminal.console.Print(
        absl::StrCat("applied as revision ", applied->revision(), "\n", FormatChanges(*applied)));
  }
  return ExitCode::kDone;
}

ExitCode RunTopologyShow(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<v1::Topology> topology = client.GetTopology(v1::GetTopologyRequest());
  if (!topology.ok()) return Fail(terminal, topology.status());
  if (options.output == Output::kJson) {
    terminal.console.Print(ToJson(*topology, true));
    return ExitCode::kDone;
  }
  // To standard error, so that the text can be redirected into a file and applied again.
  terminal.console.Note(
      absl::StrCat("revision ", topology->revision(), ", applied ",
                   LocalTime(topology->apply_time()), " by ", Printable(topology->applied_by()),
                   topology->reason().empty() ? "" : ": ", Printable(topology->reason()), "\n"));
  terminal.console.Print(topology->text());
  return ExitCode::kDone;
}

}  // namespace baton
