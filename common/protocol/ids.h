// The names that agents and coordinator share (architecture.md "Words").
#pragma once

#include <compare>
#include <string>

#include "common/base/strong_id.h"

namespace baton {

using SiteId = StrongId<struct SiteTag>;
using HostId = StrongId<struct HostTag>;
using PoolId = StrongId<struct PoolTag>;  // a pool's FQDN
using ShareId = StrongId<struct ShareTag>;
using DatabaseId = StrongId<struct DatabaseTag>;  // "mgc"
using ResourceId = StrongId<struct ResourceTag>;  // a service on one host: "mgc", "prosody"
using PlanId = StrongId<struct PlanTag>;
using CommandId = StrongId<struct CommandTag>;
using SessionId = StrongId<struct SessionTag>;
using LedgerId = StrongId<struct LedgerTag>;
using BootId = StrongId<struct BootTag>;
using JournalId = StrongId<struct JournalTag>;

// One service on one host; written "host/resource".
struct ResourceRef {
  HostId host;
  ResourceId resource;

  friend auto operator<=>(const ResourceRef&, const ResourceRef&) = default;
  friend bool operator==(const ResourceRef&, const ResourceRef&) = default;
  std::string ToString() const { return host.value() + "/" + resource.value(); }
};

}  // namespace baton
