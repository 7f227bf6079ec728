#include "agent/guard/supervisor_state.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

#include "common/base/crc32c.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {
namespace {

constexpr size_t kStateBytesMax = 4096;

}  // namespace

std::string FormatSupervisorState(const SupervisorState& state) {
  const std::string body =
      absl::StrCat("1 ", state.desired_up ? "up" : "down", " ", state.server.pid, " ",
                   state.server.start_ticks, " ", state.could_write ? "writer" : "reader", " ",
                   state.write_at_start.has_value() ? state.write_at_start->ToString() : "-");
  return absl::StrFormat("%s %08x\n", body, Crc32c(body));
}

absl::StatusOr<SupervisorState> ParseSupervisorState(const std::string& text) {
  const absl::Status bad = absl::DataLossError("supervisor state: cut short or altered");
  const std::vector<std::string> words = absl::StrSplit(text, absl::ByAnyChar(" \n"));
  SupervisorState state;
  if (words.size() != 8 || !absl::SimpleAtoi(words[2], &state.server.pid) ||
      !absl::SimpleAtoi(words[3], &state.server.start_ticks)) {
    return bad;
  }
  state.desired_up = words[1] == "up";
  state.could_write = words[4] == "writer";
  if (words[5] != "-") {
    const absl::StatusOr<Epoch> epoch = ParseEpoch(words[5]);
    if (!epoch.ok()) return bad;
    state.write_at_start = *epoch;
  }
  return FormatSupervisorState(state) == text ? absl::StatusOr<SupervisorState>(state) : bad;
}

absl::StatusOr<SupervisorState> LoadSupervisorState(const std::string& path) {
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kStateBytesMax));
  return ParseSupervisorState(text);
}

absl::Status SaveSupervisorState(const std::string& path, const SupervisorState& state) {
  return WriteFileDurably(path, FormatSupervisorState(state), 0644);
}

}  // namespace baton
