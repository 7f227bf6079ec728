#include "coordinator/cli/words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "common/protocol/epoch.h"
#include "common/protocol/position.h"

namespace baton {
namespace {

// "PLAN_STATE_RUNNING" without "PLAN_STATE_" → "running"; a value of a newer coordinator → its
// number.
template <class Enum>
std::string Lower(const std::string& name, std::string_view prefix, Enum value) {
  if (name.size() <= prefix.size()) return absl::StrCat("value ", static_cast<int>(value));
  return absl::StrReplaceAll(absl::AsciiStrToLower(name.substr(prefix.size())), {{"_", " "}});
}

std::string Local(const char* format, const google::protobuf::Timestamp& time) {
  const absl::Time value = ToTime(time);
  return value == absl::InfinitePast() ? ""
                                       : absl::FormatTime(format, value, absl::LocalTimeZone());
}

}  // namespace

std::string Word(v1::PlanKind kind) { return Lower(v1::PlanKind_Name(kind), "PLAN_KIND_", kind); }

std::string Word(v1::PlanState state) {
  return Lower(v1::PlanState_Name(state), "PLAN_STATE_", state);
}

std::string Word(v1::StepState state) {
  if (state == v1::STEP_STATE_SUCCEEDED) return "done";
  return Lower(v1::StepState_Name(state), "STEP_STATE_", state);
}

std::string Word(v1::FencePhase phase) {
  return Lower(v1::FencePhase_Name(phase), "FENCE_PHASE_", phase);
}

std::string Word(v1::DatabaseState state) {
  return Lower(v1::DatabaseState_Name(state), "DATABASE_STATE_", state);
}

std::string Word(v1::ChatState state) {
  return Lower(v1::ChatState_Name(state), "CHAT_STATE_", state);
}

std::string Text(const v1::Epoch& epoch) {
  const Epoch value{epoch.generation(), epoch.counter()};
  return value.none() ? "none" : value.ToString();
}

std::string Text(const v1::LogPosition& position) {
  const LogPosition value{position.timeline(), position.lsn()};
  return value.none() ? "" : value.ToString();
}

std::string Text(const v1::ResourceRef& ref) {
  return absl::StrCat(ref.host(), "/", ref.resource());
}

std::string Text(const v1::Refusal& refusal) {
  std::string text = absl::StrCat(refusal.rule(), ": ", refusal.subject(), ": found ",
                                  refusal.found(), ", wanted ", refusal.wanted());
  if (!refusal.remedy().empty()) absl::StrAppend(&text, "; ", refusal.remedy());
  return text;
}

std::string Took(absl::Duration duration) {
  const double seconds = std::max(0.0, absl::ToDoubleSeconds(duration));
  const auto whole = static_cast<int64_t>(std::min(seconds, 1e12));
  if (seconds < 0.995) return absl::StrFormat("%.2f s", seconds);
  if (seconds < 9.95) return absl::StrFormat("%.1f s", seconds);
  if (whole < 60) return absl::StrFormat("%d s", whole);
  if (whole < 3600) return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  if (whole < 86400) return absl::StrFormat("%d h %02d min", whole / 3600, whole / 60 % 60);
  return absl::StrFormat("%d d %02d h", whole / 86400, whole / 3600 % 24);
}

std::string Bytes(uint64_t bytes) {
  if (bytes < 1000) return absl::StrFormat("%d B", bytes);
  double size = static_cast<double>(bytes);
  const char* unit = "B";
  for (const char* larger : {"kB", "MB", "GB", "TB", "PB", "EB"}) {
    if (size < 999.95) break;
    size /= 1000;
    unit = larger;
  }
  return absl::StrFormat("%.1f %s", size, unit);
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return absl::InfinitePast();
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string LocalTime(const google::protobuf::Timestamp& time) {
  return Local("%Y-%m-%d %H:%M:%S", time);
}

std::string LocalTimeToMillis(const google::protobuf::Timestamp& time) {
  return Local("%Y-%m-%d %H:%M:%E3S", time);
}

std::string LocalTimeOfDay(const google::protobuf::Timestamp& time) {
  return Local("%H:%M:%E3S", time);
}

absl::Time AsOf(const google::protobuf::Timestamp& as_of, absl::Time otherwise) {
  const absl::Time value = ToTime(as_of);
  return value == absl::InfinitePast() ? otherwise : value;
}

std::string Ago(const google::protobuf::Timestamp& time, absl::Time now) {
  const absl::Time value = ToTime(time);
  return value == absl::InfinitePast() ? "never" : absl::StrCat(Took(now - value), " ago");
}

std::string ShortPlanId(std::string_view name) {
  const size_t slash = name.rfind('/');
  return std::string(slash == std::string_view::npos ? name : name.substr(slash + 1));
}

}  // namespace baton
