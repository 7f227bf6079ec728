// Single facts: events, changes, errors; and any message as JSON.
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"

#include "common/rpc/status_proto.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {

std::string FormatEvent(const v1::Event& event) {
  std::string text = absl::StrCat(event.sequence(), event.transient() ? "+" : "", "  ",
                                  LocalTime(event.time()), "  ", event.kind());
  for (const std::string& part : {event.pool(), ShortPlanId(event.plan()), event.host()}) {
    if (!part.empty()) absl::StrAppend(&text, "  ", part);
  }
  if (event.has_step()) absl::StrAppend(&text, "  step ", event.step() + 1);
  if (!event.text().empty()) absl::StrAppend(&text, "  ", event.text());
  return Printable(text) + "\n";
}

std::string FormatChanges(const v1::Topology& topology) {
  std::string text;
  for (const std::string& change : topology.changes()) {
    absl::StrAppend(&text, "  ", Printable(change), "\n");
  }
  return text;
}

std::string FormatError(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  std::string text(status.message());
  if (text.empty()) text = absl::StatusCodeToString(status.code());
  return reason.empty() ? Printable(text)
                        : absl::StrCat("refused (", reason, "): ", Printable(text));
}

std::string ToJson(const google::protobuf::Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = pretty;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return "{}\n";
  if (text.empty() || text.back() != '\n') text += "\n";
  return text;
}

}  // namespace baton
