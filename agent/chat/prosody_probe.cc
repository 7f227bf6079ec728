#include "agent/chat/prosody_probe.h"

#include <utility>

#include "common/base/status_macros.h"

namespace baton {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(2);

}  // namespace

absl::StatusOr<std::unique_ptr<ProsodyProbe>> ProsodyProbe::Create(const ProsodyHost& host) {
  BATON_ASSIGN_OR_RETURN(chat::ProsodyServer server, chat::ProsodyServer::Create(host));
  return std::unique_ptr<ProsodyProbe>(new ProsodyProbe(std::move(server)));
}

ProsodyProbe::ProsodyProbe(chat::ProsodyServer server) : server_(std::move(server)) {}

void ProsodyProbe::Observe(std::function<void(Observation)> done) {
  worker_.Post([this, done = std::move(done)] { done(server_.Observe(kLookTimeout)); });
}

}  // namespace baton
