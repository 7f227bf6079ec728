#include "common/protocol/supervisor_control.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/base/strings.h"

namespace baton {
namespace {

constexpr size_t kValueBytesMax = 1024;
constexpr std::string_view kLastLine = "end=1\n";

void AppendText(std::string_view key, std::string value, std::string* text) {
  value.resize(std::min(value.size(), kValueBytesMax));
  std::replace_if(
      value.begin(), value.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
  absl::StrAppend(text, ToAbsl(key), "=", value, "\n");
}

void AppendNumber(std::string_view key, int64_t value, std::string* text) {
  absl::StrAppend(text, ToAbsl(key), "=", value, "\n");
}

bool ReadNumber(std::map<std::string, std::string>* values, const char* key, int64_t* number) {
  const auto found = values->find(key);
  return found != values->end() && absl::SimpleAtoi(found->second, number);
}

bool ReadFlag(std::map<std::string, std::string>* values, const char* key, bool* flag) {
  int64_t number = 0;
  const bool read = ReadNumber(values, key, &number) && (number == 0 || number == 1);
  *flag = number == 1;
  return read;
}

}  // namespace

std::string_view ToString(SupervisorVerb verb) {
  switch (verb) {
    case SupervisorVerb::kStatus:
      return "status";
    case SupervisorVerb::kStart:
      return "start";
    case SupervisorVerb::kStopClean:
      return "stop clean";
    case SupervisorVerb::kStopImmediate:
      return "stop immediate";
  }
  return "invalid";
}

absl::StatusOr<SupervisorVerb> ParseSupervisorVerb(std::string_view line) {
  for (const SupervisorVerb verb : {SupervisorVerb::kStatus, SupervisorVerb::kStart,
                                    SupervisorVerb::kStopClean, SupervisorVerb::kStopImmediate}) {
    if (line == ToString(verb)) return verb;
  }
  return absl::InvalidArgumentError(
      "found a request that is not understood, wanted status, start, stop clean or stop immediate");
}

std::string FormatSupervisorReply(const SupervisorReply& reply) {
  std::string text;
  AppendNumber("ok", reply.ok ? 1 : 0, &text);
  AppendText("error", reply.error, &text);
  AppendNumber("running", reply.running ? 1 : 0, &text);
  AppendNumber("pid", reply.pid, &text);
  AppendNumber("desired_up", reply.desired_up ? 1 : 0, &text);
  AppendNumber("could_write", reply.could_write ? 1 : 0, &text);
  AppendNumber("stop_overdue", reply.stop_overdue ? 1 : 0, &text);
  AppendText("verdict", reply.verdict, &text);
  AppendText("refused", reply.refused, &text);
  AppendText("last_exit", reply.last_exit, &text);
  absl::StrAppend(&text, ToAbsl(kLastLine));
  return text;
}

absl::StatusOr<SupervisorReply> ParseSupervisorReply(std::string_view text) {
  const absl::Status bad =
      absl::InvalidArgumentError("supervisor: found an answer that is cut short or not understood");
  if (text.size() > kSupervisorReplyBytesMax || text.size() < kLastLine.size() ||
      text.substr(text.size() - kLastLine.size()) != kLastLine) {
    return bad;
  }
  std::map<std::string, std::string> values;
  const std::vector<std::string> lines = absl::StrSplit(ToAbsl(text), '\n', absl::SkipEmpty());
  for (const std::string& line : lines) {
    values.insert(
        std::pair<std::string, std::string>(absl::StrSplit(line, absl::MaxSplits('=', 1))));
  }
  SupervisorReply reply;
  if (!ReadFlag(&values, "ok", &reply.ok) || !ReadFlag(&values, "running", &reply.running) ||
      !ReadNumber(&values, "pid", &reply.pid) ||
      !ReadFlag(&values, "desired_up", &reply.desired_up) ||
      !ReadFlag(&values, "could_write", &reply.could_write) ||
      !ReadFlag(&values, "stop_overdue", &reply.stop_overdue)) {
    return bad;
  }
  reply.error = values["error"];
  reply.verdict = values["verdict"];
  reply.refused = values["refused"];
  reply.last_exit = values["last_exit"];
  return reply;
}

std::string SupervisorSocket(const std::string& run_directory, const ResourceId& resource) {
  return absl::StrCat(run_directory, "/", resource.value(), ".sock");
}

}  // namespace baton
