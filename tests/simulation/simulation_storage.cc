// What becomes of log files on their way, and of the room for what is kept.
#include "absl/strings/str_cat.h"

#include "tests/simulation/simulation.h"

namespace baton::sim {

// The next file that is shipped vanishes before anybody copied it, or is damaged where it lies.
// That is found at the latest when the fault ends.
void Simulation::FireOnLog(const Fault& fault) {
  const Unit* writer = coordinator_->running() ? HoldsTheRight() : nullptr;
  Share& share = world_->shares[writer == nullptr ? 0 : writer->host.index % 2];
  log_spoilt_ = true;
  const Spoil spoil = fault.kind == FaultKind::kLogLost ? Spoil::kVanishes : Spoil::kDamaged;
  Lasting(
      fault.lasts, [&share, spoil] { share.next = spoil; },
      [this, &share] {
        share.next = Spoil::kNone;
        MoveDamagedAside();
      });
}

// Of the host's databases, until somebody frees room.
void Simulation::FireOnDisk(const Fault& fault, int host) {
  const auto set = [this, host](bool full) {
    for (Unit* unit : world_->hosts[host % 2].units) unit->disk_full = full;
  };
  Lasting(
      fault.lasts, [set] { set(true); }, [set] { set(false); });
}

void Simulation::MoveDamagedAside() {
  for (Share& share : world_->shares) {
    if (!share.HoldsDamaged()) continue;
    share.MoveDamagedAside();
    world_->Tell([&] {
      return absl::StrCat("operator moves the damaged files of ", share.id.value(), " aside");
    });
    world_->WakeFollowers();
  }
}

}  // namespace baton::sim
