#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/cli/commands.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/status_frame.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

constexpr absl::Duration kRedrawEvery = absl::Seconds(1);
constexpr absl::Duration kEventWait = absl::Hours(1);

absl::StatusOr<v1::ListPoolsResponse> ListPools(const Options& options, Client& client) {
  v1::ListPoolsRequest request;
  request.set_pool(options.pool);
  absl::StatusOr<v1::ListPoolsResponse> pools = client.ListPools(request);
  if (pools.ok() && pools->pools().empty() && !options.pool.empty()) {
    return absl::NotFoundError(absl::StrCat("pool: found \"", options.pool,
                                            "\", wanted one of the topology; see them all with: "
                                            "baton status"));
  }
  return pools;
}

ExitCode WatchStatus(const Options& options, Client& client, const Terminal& terminal) {
  const Interrupt::Scope scope(terminal.interrupt, nullptr);
  Reconnect reconnect(client, terminal);
  do {
    const absl::StatusOr<v1::ListPoolsResponse> pools = ListPools(options, client);
    if (terminal.interrupt.triggered()) break;
    if (!pools.ok()) {
      if (!MayPass(pools.status())) return Fail(terminal, pools.status());
      if (!reconnect.Wait(pools.status())) break;
      continue;
    }
    reconnect.Succeeded();
    if (options.output == Output::kJson) {
      terminal.console.Print(ToJson(*pools, false));
      continue;
    }
    const absl::Time now = AsOf(pools->as_of(), terminal.clock.Now());
    const std::string text =
        absl::StrCat(FormatStatus(*pools, now), "\n",
                     absl::FormatTime("%Y-%m-%d %H:%M:%S", now, absl::LocalTimeZone()), "\n");
    terminal.console.Print(
        terminal.console.interactive() ? StatusFrame(text, terminal.console.size()) : text);
  } while (!terminal.interrupt.WaitFor(kRedrawEvery));
  return ExitCode::kDone;
}

}  // namespace

ExitCode RunStatus(const Options& options, Client& client, const Terminal& terminal) {
  if (options.watch) return WatchStatus(options, client, terminal);
  const absl::StatusOr<v1::ListPoolsResponse> pools = ListPools(options, client);
  if (!pools.ok()) return Fail(terminal, pools.status());
  terminal.console.Print(options.output == Output::kJson
                             ? ToJson(*pools, true)
                             : FormatStatus(*pools, AsOf(pools->as_of(), terminal.clock.Now())));
  return ExitCode::kDone;
}

ExitCode RunAgentsList(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<v1::ListAgentsResponse> agents = client.ListAgents(v1::ListAgentsRequest());
  if (!agents.ok()) return Fail(terminal, agents.status());
  terminal.console.Print(options.output == Output::kJson
                             ? ToJson(*agents, true)
                             : FormatAgents(*agents, AsOf(agents->as_of(), terminal.clock.Now())));
  return ExitCode::kDone;
}

ExitCode RunAgentsAccept(const Options& options, Client& client, const Terminal& terminal) {
  if (terminal.console.interactive() && !options.yes) {
    const absl::StatusOr<v1::ListAgentsResponse> agents =
        client.ListAgents(v1::ListAgentsRequest());
    if (!agents.ok()) return Fail(terminal, agents.status());
    for (const v1::Agent& agent : agents->agents()) {
      if (agent.host() != options.host || agent.refused_ledger_id().empty()) continue;
      terminal.console.Note(Printable(
          absl::StrCat("host ", agent.host(), " is known by ledger ",
                       agent.ledger_id().empty() ? "none" : agent.ledger_id(), " and shows ledger ",
                       agent.refused_ledger_id(), " from ", agent.address(), "\n")));
      if (!terminal.console.Confirm("Take the shown one as its own from now on?")) {
        return ExitCode::kDeclined;
      }
    }
  }
  v1::AcceptAgentRequest request;
  request.set_host(options.host);
  request.set_reason(options.reason);
  request.set_request_id(options.request_id);
  request.set_requested_by(options.requested_by);
  const absl::StatusOr<v1::Agent> agent = client.AcceptAgent(request);
  if (!agent.ok()) return Fail(terminal, agent.status());
  terminal.console.Print(
      options.output == Output::kJson
          ? ToJson(*agent, true)
          : Printable(absl::StrCat("host ", agent->host(), ": ledger ", agent->ledger_id(),
                                   " is its own from now on\n")));
  return ExitCode::kDone;
}

ExitCode RunEvents(const Options& options, Client& client, const Terminal& terminal) {
  const Interrupt::Scope scope(terminal.interrupt, nullptr);
  Reconnect reconnect(client, terminal);
  v1::WatchEventsRequest request;
  request.set_from_sequence(options.from_sequence);
  request.set_pool(options.pool);
  request.set_plan(options.plan);
  request.set_follow(options.follow);
  bool seen = false;
  while (!terminal.interrupt.triggered()) {
    const std::unique_ptr<EventStream> stream = client.WatchEvents(request);
    const Interrupt::Scope cancel(terminal.interrupt, [&stream] { stream->Cancel(); });
    v1::Event event;
    EventStream::Result result = EventStream::Result::kTimeout;
    while (result != EventStream::Result::kEnded) {
      result = stream->Next(&event, terminal.clock.Now() + kEventWait);
      if (result != EventStream::Result::kEvent) continue;
      seen = true;
      reconnect.Succeeded();
      request.set_from_sequence(std::max(request.from_sequence(), event.sequence() + 1));
      // One document a line: a stream has no end to close a list with.
      terminal.console.Print(options.output == Output::kJson ? ToJson(event, false)
                                                             : FormatEvent(event));
    }
    const absl::Status& status = stream->status();
    if (terminal.interrupt.triggered() || (status.ok() && !options.follow)) break;
    if (!MayPass(status) || (!seen && status.code() == absl::StatusCode::kOutOfRange)) {
      return Fail(terminal, status);
    }
    if (!options.follow && !seen) return Fail(terminal, status);
    if (status.code() == absl::StatusCode::kOutOfRange) request.set_from_sequence(0);
    if (!reconnect.Wait(status)) break;
  }
  return ExitCode::kDone;
}

}  // namespace baton
