#include "agent/database/control_data.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/os/process.h"

namespace baton::postgresql {
namespace {

using Fields = std::map<std::string, std::string>;

absl::StatusOr<std::string> Field(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end() || found->second.empty()) {
    return absl::DataLossError(absl::StrCat("pg_controldata: found no \"", name, "\""));
  }
  return found->second;
}

absl::StatusOr<uint64_t> Number(const Fields& fields, const std::string& name) {
  BATON_ASSIGN_OR_RETURN(const std::string text, Field(fields, name));
  uint64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) {
    return absl::DataLossError(
        absl::StrCat("pg_controldata: \"", name, "\": found \"", text, "\", wanted a number"));
  }
  return value;
}

absl::StatusOr<LogPosition> Position(const Fields& fields, const std::string& lsn_name,
                                     const std::string& timeline_name) {
  BATON_ASSIGN_OR_RETURN(const std::string lsn, Field(fields, lsn_name));
  BATON_ASSIGN_OR_RETURN(const uint64_t timeline, Number(fields, timeline_name));
  LogPosition position;
  position.timeline = static_cast<uint32_t>(timeline);
  BATON_ASSIGN_OR_RETURN(position.lsn, ParseLsn(lsn));
  return position;
}

}  // namespace

uint32_t ControlData::timeline() const {
  return std::max(checkpoint.timeline, minimum_recovery.timeline);
}

absl::StatusOr<ControlData> ParseControlData(std::string_view text) {
  Fields fields;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    fields.emplace(std::string(parts.first), std::string(absl::StripAsciiWhitespace(parts.second)));
  }
  ControlData data;
  BATON_ASSIGN_OR_RETURN(data.system_id, Field(fields, "Database system identifier"));
  BATON_ASSIGN_OR_RETURN(data.state, Field(fields, "Database cluster state"));
  BATON_ASSIGN_OR_RETURN(data.checkpoint, Position(fields, "Latest checkpoint location",
                                                   "Latest checkpoint's TimeLineID"));
  BATON_ASSIGN_OR_RETURN(data.redo_file, Field(fields, "Latest checkpoint's REDO WAL file"));
  BATON_ASSIGN_OR_RETURN(data.minimum_recovery, Position(fields, "Minimum recovery ending location",
                                                         "Min recovery ending loc's timeline"));
  BATON_ASSIGN_OR_RETURN(data.segment_bytes, Number(fields, "Bytes per WAL segment"));
  const uint64_t bytes = data.segment_bytes;
  if (bytes < (1 << 20) || bytes > (uint64_t{1} << 30) || (bytes & (bytes - 1)) != 0) {
    return absl::DataLossError(absl::StrCat("pg_controldata: \"Bytes per WAL segment\": found ",
                                            bytes, ", wanted a power of two from 1 MB to 1 GB"));
  }
  return data;
}

absl::StatusOr<ControlData> ReadControlData(
    const std::string& bin_directory, const std::string& data_directory, absl::Duration timeout,
    std::function<absl::Status(const ProcessId&)> before_start) {
  RunOptions options;
  options.argv = {bin_directory + "/pg_controldata", "-D", data_directory};
  options.environment = {"LC_ALL=C"};
  options.timeout = timeout;
  options.output_bytes_max = 64 * 1024;
  options.before_start = std::move(before_start);
  BATON_ASSIGN_OR_RETURN(const RunResult result, Run(options));
  if (result.timed_out) {
    return absl::DeadlineExceededError(
        absl::StrCat("pg_controldata of ", data_directory, ": ", result.Describe(timeout)));
  }
  if (!result.ok()) {
    return absl::UnavailableError(
        absl::StrCat("pg_controldata of ", data_directory, ": ", result.Describe(timeout), ": ",
                     std::string(absl::StripAsciiWhitespace(result.error))));
  }
  // Damage is only a warning to pg_controldata, and everything it prints then is doubtful.
  if (result.output.rfind("WARNING", 0) == 0 || !result.error.empty()) {
    return absl::DataLossError(absl::StrCat("control file of ", data_directory, ": ",
                                            result.error.empty() ? result.output : result.error));
  }
  return ParseControlData(result.output);
}

}  // namespace baton::postgresql
