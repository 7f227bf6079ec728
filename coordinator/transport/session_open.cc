#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/status_proto.h"
#include "common/rpc/text.h"
#include "common/runtime/logging.h"
#include "common/runtime/random.h"
#include "coordinator/transport/session_registry.h"

namespace baton {
namespace {

constexpr uint32_t kProtocol = 1;

}  // namespace

absl::Status SessionRegistry::CheckHello(const v1::Hello& hello) const {
  BATON_RETURN_IF_ERROR(CheckName("hello.host", hello.host()));
  BATON_RETURN_IF_ERROR(CheckName("hello.boot_id", hello.boot_id()));
  BATON_RETURN_IF_ERROR(CheckName("hello.ledger_id", hello.ledger_id()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("hello.version", hello.version()));
  BATON_RETURN_IF_ERROR(CheckCount("hello.fences", hello.fences_size()));
  BATON_RETURN_IF_ERROR(CheckCount("hello.unfinished_commands", hello.unfinished_commands_size()));
  if (hello.protocol() != kProtocol) {
    return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition, "PROTOCOL_MISMATCH",
        absl::StrCat("agent of ", hello.host(), " (version ", hello.version(),
                     "): found session protocol ", hello.protocol(), ", wanted ", kProtocol,
                     "; install the version of baton-agent that belongs to this coordinator"));
  }
  if (topology_ == nullptr) {
    return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition, "NO_TOPOLOGY",
        "no topology was applied yet; run `baton topology apply FILE --reason TEXT`");
  }
  if (!topology_->hosts.contains(HostId(hello.host()))) {
    return absl::NotFoundError(absl::StrCat(
        "host ", hello.host(),
        ": not in the topology; add it and run `baton topology apply FILE --reason TEXT`, or mend "
        "the host's name in the agent's configuration"));
  }
  return absl::OkStatus();
}

absl::Status SessionRegistry::OnHello(Session& session, const v1::Hello& hello) {
  if (!session.host.empty()) {
    return absl::InvalidArgumentError("found a second Hello, wanted one per session");
  }
  BATON_RETURN_IF_ERROR(CheckHello(hello));
  session.host = HostId(hello.host());
  session.ledger = LedgerId(hello.ledger_id());
  session.counter = hello.session_counter();
  session.boot = BootId(hello.boot_id());
  session.version = hello.version();
  if (driver_->state().ledgers.contains(session.host)) return Admit(session);
  // The first contact pins the ledger; whoever comes meanwhile is judged by what was pinned.
  if (!pinning_.contains(session.host)) Pin(session.host, session.ledger);
  return absl::OkStatus();
}

void SessionRegistry::Pin(const HostId& host, const LedgerId& ledger) {
  pinning_.insert(host);
  driver_->Append(LedgerAccepted{host, ledger, "", "", ""},
                  [this, host](absl::StatusOr<Record> record) {
                    pinning_.erase(host);
                    std::vector<SessionLink*> waiting;
                    for (const auto& [link, session] : sessions_) {
                      if (session->host == host && session->id.empty()) waiting.push_back(link);
                    }
                    for (SessionLink* link : waiting) {
                      Session* session = Find(link);
                      if (session == nullptr) continue;
                      const absl::Status status = record.ok() ? Admit(*session) : record.status();
                      if (!status.ok()) End(link, status);
                    }
                  });
}

absl::Status SessionRegistry::RefuseLedger(const Session& session, const LedgerId& known) {
  const std::string why = absl::StrCat(
      "host ", session.host.value(), ": found ledger ", session.ledger.value(), ", wanted ",
      known.value(),
      ": its ledger was lost or copied, or another agent uses its name; look there, then run "
      "`baton agents accept ",
      session.host.value(), " --reason ...`");
  refused_[session.host] = {session.ledger, why, session.link->Peer()};
  ++revision_;
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "LEDGER_UNKNOWN", why,
                         {{"host", session.host.value()}, {"known_ledger", known.value()}});
}

absl::Status SessionRegistry::ReplaceOlder(const Session& session) {
  LastCounter& last = counters_[session.host];
  if (last.ledger == session.ledger && session.counter <= last.counter) {
    return ErrorWithReason(
        absl::StatusCode::kAborted, "SESSION_STALE",
        absl::StrCat("host ", session.host.value(), ": found session counter ", session.counter,
                     ", wanted more than ", last.counter,
                     ": a newer session of this ledger was "
                     "opened; is a second agent running with a copy of the ledger?"));
  }
  last = {session.ledger, session.counter};
  if (const Session* older = FindWelcomed(session.host)) {
    End(older->link, ErrorWithReason(absl::StatusCode::kAborted, "SESSION_REPLACED",
                                     "a newer session of this agent was opened"));
  }
  return absl::OkStatus();
}

absl::Status SessionRegistry::Admit(Session& session) {
  const LedgerAccepted& known = driver_->state().ledgers.at(session.host);
  if (known.ledger != session.ledger) return RefuseLedger(session, known.ledger);
  BATON_RETURN_IF_ERROR(ReplaceOlder(session));
  session.id = SessionId(RandomId());
  welcomed_[session.host] = session.link;
  ++revision_;
  AgentView& agent = agents_[session.host];
  agent.connected = true;
  agent.boot = session.boot;
  agent.version = session.version;
  agent.last_report = clock_.Now();
  v1::CoordinatorMessage message;
  v1::Welcome& welcome = *message.mutable_welcome();
  welcome.set_session_id(session.id.value());
  welcome.set_journal_id(options_.journal.value());
  *welcome.mutable_report_interval() = ToProto(options_.report_interval);
  session.link->Send(std::move(message));
  spdlog::info("session of {} opened from {}, version {}, boot {}", session.host.value(),
               session.link->Peer(), session.version, session.boot.value());
  driver_->OnHostAnswers(session.host);
  SettleReturns(session);
  TellConfirmations(session);
  return absl::OkStatus();
}

}  // namespace baton
