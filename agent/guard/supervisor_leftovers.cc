// What a server leaves behind, under its supervisor: nothing may write, be acknowledged, or be in a
// successor's way, once the server that answers for it is gone.
#include <signal.h>

#include "absl/strings/str_cat.h"

#include "agent/guard/log_line.h"
#include "agent/guard/supervisor.h"
#include "agent/guard/supervisor_rules.h"
#include "common/os/monotonic.h"

namespace baton {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(5);
// After this it is no longer waited for, neither by a start, which PostgreSQL refuses by itself
// beside what is left, nor by an end of this supervisor.
constexpr absl::Duration kPatience = absl::Seconds(15);

}  // namespace

// Looks for it, and tells it to end. Idempotent.
void Supervisor::EndLeftovers() {
  if (state_.server.pid != 0 || start_.has_value() || leftovers_.has_value()) return;
  Leftovers found = Leftovers::Find(config_, last_server_);
  if (found.empty()) return;
  LogLine(config_,
          absl::StrCat("the server is gone and left processes behind: ends ", found.Pids()));
  const bool database = config_.kind == ResourceKind::kDatabase;
  const absl::Status sent = found.Signal(database ? SIGQUIT : SIGKILL);
  if (!sent.ok()) LogLine(config_, std::string(sent.message()));
  leftovers_ = std::move(found);
  leftovers_since_ = MonotonicNow();
  leftovers_killed_ = !database;
}

void Supervisor::OnLeftovers() {
  if (!leftovers_.has_value()) return;
  const absl::Duration waited = MonotonicNow() - leftovers_since_;
  if (!leftovers_->AllEnded()) {
    if (leftovers_killed_ || waited < kGrace) return;
    leftovers_killed_ = true;
    LogLine(config_, absl::StrCat("they took too long: kills ", leftovers_->Pids()));
    const absl::Status sent = leftovers_->Signal(SIGKILL);
    if (!sent.ok()) LogLine(config_, std::string(sent.message()));
    return;
  }
  leftovers_.reset();
  EndLeftovers();
  if (leftovers_.has_value()) return;
  LogLine(config_, "nothing of the server is left");
  ReplyTo(&stop_waiters_, "");
}

bool Supervisor::WaitsForLeftovers() const {
  return leftovers_.has_value() && MonotonicNow() - leftovers_since_ < kPatience;
}

}  // namespace baton
