// What was moved aside, and removing it.
#include <string>

#include "absl/strings/str_cat.h"

#include "coordinator/cli/commands.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/start_plan.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

absl::StatusOr<v1::ListPoolsResponse> Pools(const Options& options, Client& client) {
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

// The same without members that keep nothing.
v1::ListPoolsResponse OnlyQuarantine(const v1::ListPoolsResponse& pools) {
  v1::ListPoolsResponse kept;
  if (pools.has_as_of()) *kept.mutable_as_of() = pools.as_of();
  for (const v1::PoolStatus& pool : pools.pools()) {
    v1::PoolStatus& copy = *kept.add_pools();
    copy.set_pool(pool.pool());
    for (const v1::MemberStatus& member : pool.members()) {
      if (!member.observation().database().quarantine().empty()) *copy.add_members() = member;
    }
  }
  return kept;
}

struct Entry {
  v1::MemberStatus member;
  v1::QuarantineEntry entry;
};

absl::StatusOr<Entry> Find(const Options& options, Client& client) {
  const absl::StatusOr<v1::ListPoolsResponse> pools = Pools(options, client);
  if (!pools.ok()) return pools.status();
  std::string known;
  for (const v1::MemberStatus& member : pools->pools(0).members()) {
    if (member.resource().host() != options.instance.host ||
        member.resource().resource() != options.instance.resource) {
      continue;
    }
    for (const v1::QuarantineEntry& entry : member.observation().database().quarantine()) {
      if (entry.name() == options.quarantine) return Entry{member, entry};
      absl::StrAppend(&known, known.empty() ? "" : ", ", entry.name());
    }
  }
  return absl::NotFoundError(absl::StrCat(
      "quarantine of ", options.instance.host, "/", options.instance.resource, ": found no \"",
      options.quarantine, "\", wanted ", known.empty() ? "an entry of it" : "one of " + known,
      "; see them with: baton quarantine list ", options.pool));
}

}  // namespace

ExitCode RunQuarantineList(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<v1::ListPoolsResponse> pools = Pools(options, client);
  if (!pools.ok()) return Fail(terminal, pools.status());
  terminal.console.Print(options.output == Output::kJson ? ToJson(OnlyQuarantine(*pools), true)
                                                         : FormatQuarantine(*pools));
  return ExitCode::kDone;
}

ExitCode RunQuarantineShow(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<Entry> found = Find(options, client);
  if (!found.ok()) return Fail(terminal, found.status());
  terminal.console.Print(
      options.output == Output::kJson
          ? ToJson(found->entry, true)
          : absl::StrCat(FormatQuarantineEntry(found->member.resource(), found->entry),
                         "remove it for good: baton quarantine remove ", options.pool, " ",
                         Text(found->member.resource()), " ", found->entry.name(),
                         " --reason \"...\"\n"));
  return ExitCode::kDone;
}

ExitCode RunQuarantineRemove(const Options& options, Client& client, const Terminal& terminal) {
  if (terminal.console.interactive() && !options.yes) {
    const absl::StatusOr<Entry> found = Find(options, client);
    if (!found.ok()) return Fail(terminal, found.status());
    terminal.console.Note(FormatQuarantineEntry(found->member.resource(), found->entry));
    if (!terminal.console.Confirm("Remove it for good?")) return ExitCode::kDeclined;
  }
  v1::CreatePlanRequest wanted = PlanRequest(options, v1::PLAN_KIND_REMOVE_QUARANTINE);
  wanted.mutable_quarantine_of()->set_host(options.instance.host);
  wanted.mutable_quarantine_of()->set_resource(options.instance.resource);
  wanted.set_quarantine(options.quarantine);
  return StartPlan(wanted, options, client, terminal);
}

}  // namespace baton
