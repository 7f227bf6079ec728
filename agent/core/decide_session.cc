#include <algorithm>

#include "absl/strings/str_cat.h"

#include "agent/core/decide_internal.h"

namespace baton::agent {
namespace {

// One reason is told once, whatever numbers its words carry from try to try.
std::string WithoutDigits(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(),
                            [](unsigned char c) { return c >= '0' && c <= '9'; }),
             text.end());
  return text;
}

constexpr absl::Duration kShortestReportInterval = absl::Milliseconds(50);
constexpr absl::Duration kLongestReportInterval = absl::Minutes(1);

}  // namespace

// The older stream is gone for good before Hello: its number no longer counts once SessionOpened is
// durable, and the link closes it before it says Hello.
void OpenSession(const AgentState& now, Decision& out) {
  out.entries.push_back(Ledger::SessionOpened{now.session_counter + 1});
  out.effects.push_back(OpenLink{});
}

void OnWelcome(const AgentState& now, absl::Duration at, const Welcome& welcome, Decision& out) {
  if (now.link == LinkPhase::kWelcomed) {
    if (welcome.journal == now.journal) return;
    // Whatever one of them goes on to ask would be remembered as asked by the other.
    return OnLinkClosed(now,
                        {now.stream, absl::InternalError(absl::StrCat(
                                         "two journals spoke in one session: ", now.journal.value(),
                                         " and ", welcome.journal.value()))},
                        out);
  }
  const absl::Duration interval =
      std::clamp(welcome.report_interval, kShortestReportInterval, kLongestReportInterval);
  out.changes.push_back(StreamWelcomed{welcome.journal, interval});
  out.effects.push_back(ResetBackoff{});
  out.effects.push_back(Say{Severity::kInfo, absl::StrCat("session ", welcome.session.value(),
                                                          " is open, number ", now.stream)});
  for (const CommandId& id : now.untold) {
    const CommandRecord* record = now.Find(id);
    if (record == nullptr || !record->outcome.has_value()) continue;
    out.effects.push_back(Send{Finished{id, *record->outcome}});
  }
  out.changes.push_back(FinishedTold{});
  out.changes.push_back(FullReportWanted{false});
  for (const auto& [id, resource] : now.resources) AskForProbe(now, id, at, out);
  // The report due at once is sent with the first tick: every resource was seen, or is awaited.
  out.effects.push_back(SetTimer{{TimerKind::kReport, ""}, absl::ZeroDuration()});
}

void OnLinkClosed(const AgentState& now, const LinkClosed& event, Decision& out) {
  if (event.stream != now.stream || now.link == LinkPhase::kDown) return;
  out.changes.push_back(StreamEnded{});
  out.effects.push_back(CloseLink{});
  out.effects.push_back(ReconnectLater{});
  const std::string problem = event.status.ok()
                                  ? "the coordinator ended the session"
                                  : absl::StrCat(absl::StatusCodeToString(event.status.code()),
                                                 ": ", event.status.message());
  const std::string reason = WithoutDigits(problem);
  if (reason == now.last_link_problem) return;
  out.changes.push_back(LinkProblemTold{reason});
  out.effects.push_back(
      Say{Severity::kWarning,
          absl::StrCat("no session with the coordinator, trying again: ", problem)});
}

}  // namespace baton::agent
