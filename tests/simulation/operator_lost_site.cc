// What the operator does when a site is lost: how it is lost, the failover that he asks for then,
// and what he makes of its refusals.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/simulation/simulation.h"

namespace baton::sim {

// True: asked, or not yet time to.
bool Simulation::AskForFailover() {
  const PoolState* pool = coordinator_->state()->FindPool(world_->pool);
  if (healed_ || pool == nullptr || !pool->adopted) return Ask(NextGoal(PlanKind::kSwitchover));
  if (lost_for_ != moves_) {
    lost_for_ = moves_;
    lost_site_ = SiteId();
    lost_hosts_.clear();
    overrides_.clear();
    allowed_loss_ = absl::ZeroDuration();
    world_->queue.At(world_->outside(), scenario_.loss_delay, [this, move = moves_] {
      if (!healed_ && moves_ == move && coordinator_->running()) LoseSite();
    });
    return true;
  }
  if (lost_site_.empty() && lost_hosts_.empty()) return true;
  const bool planned = scenario_.loss == Loss::kChat;
  Goal goal = NextGoal(planned ? PlanKind::kSwitchover : PlanKind::kFailover);
  goal.lost_site = lost_site_;
  goal.lost_hosts = lost_hosts_;
  goal.override_rules = overrides_;
  goal.allow_loss = allowed_loss_;
  if (scenario_.loss == Loss::kDatabase) {
    goal.salvage[lost_hosts_.front()] = absl::StrCat("/disks/", lost_hosts_.front().value());
  }
  return Ask(std::move(goal)) || MendRefusal();
}

// What somebody does who reads the refusals. True: another try is worth it.
bool Simulation::MendRefusal() {
  const std::set<std::string> why = refused_by_;
  bool mended = false;
  for (const char* rule : {"SHARE_UNREADABLE", "LOG_GAP", "FENCE_EPOCH_AHEAD"}) {
    if (why.contains(rule)) mended |= overrides_.insert(rule).second;
  }
  if (why.contains("LOSS_OVER_LIMIT") && allowed_loss_ == absl::ZeroDuration()) {
    allowed_loss_ = absl::InfiniteDuration();
    mended = true;
  }
  const bool bold = world_->rng.Chance(30);
  if (why.contains("UNPROTECTED") && bold) mended |= overrides_.insert("UNPROTECTED").second;
  if (why.contains("HOME_DATABASE_UP") && bold) {
    mended |= overrides_.insert("HOME_DATABASE_UP").second;
  }
  if (why.contains("LOST_HOST_REACHABLE")) {
    // Some of it answers: only the others are named, one by one. What is gone is soon noticed.
    const SiteId site = lost_site_;
    std::vector<HostId> still;
    for (int i = 0; i < world_->agent_hosts; ++i) {
      const Host& host = world_->hosts[i];
      const bool was = host.site == site || std::find(lost_hosts_.begin(), lost_hosts_.end(),
                                                      host.id) != lost_hosts_.end();
      if (!was) continue;
      const bool answers = agents_[i]->running() && world_->Reaches(i, kCoordinatorHost) &&
                           world_->Reaches(kCoordinatorHost, i);
      if (!answers && coordinator_->Connected(host.id)) return true;
      if (!answers) still.push_back(host.id);
    }
    lost_site_ = SiteId();
    lost_hosts_ = std::move(still);
    mended = true;
    // All of it is back.
    if (lost_hosts_.empty()) return Ask(NextGoal(PlanKind::kSwitchover));
  }
  return mended;
}

void Simulation::LoseSite() {
  int writer = 0;
  for (const auto& [database, right] : coordinator_->state()->FindPool(world_->pool)->rights) {
    if (!right.writer.empty()) writer = world_->HostIndex(right.writer);
  }
  const std::vector<int> hosts = world_->HostsBeside(writer);
  const Nanos lasts = scenario_.loss_lasts;
  world_->Tell([&] {
    return absl::StrCat("!!! the site of ", world_->hosts[writer].id.value(), " is lost (",
                        std::string(LossName(scenario_.loss)), ")");
  });
  if (oracle_.tracing()) {
    oracle_.Trace(absl::StrCat("fault lost-", std::string(LossName(scenario_.loss)), " ",
                               world_->hosts[writer].id.value()));
  }
  dirty_ = true;
  switch (scenario_.loss) {
    case Loss::kWithShare: {
      Share& share = world_->shares[writer];
      Lasting(
          lasts, [&share] { share.mounted = false; },
          [this, &share] {
            share.mounted = true;
            world_->WakeFollowers();
          });
      [[fallthrough]];
    }
    case Loss::kPower:
      lost_site_ = world_->hosts[writer].site;
      for (const int host : hosts) CrashHost(host, lasts + host * kMilli);
      return;
    case Loss::kKilled:
      lost_site_ = world_->hosts[writer].site;
      for (const int host : hosts) KillEverything(host, lasts);
      return;
    case Loss::kCutOff:
      lost_site_ = world_->hosts[writer].site;
      return CutOff(hosts, lasts);
    case Loss::kDatabase:
      lost_hosts_ = {world_->hosts[writer].id};
      return CrashHost(writer, lasts);
    case Loss::kChat:
      for (const int host : hosts) {
        Unit* chat = world_->ChatOn(host);
        if (chat == nullptr || (!chat->accepting && host != writer + 2)) continue;
        lost_hosts_ = {world_->hosts[host].id};
        if (chat->accepting) break;
      }
      return CrashHost(world_->HostIndex(lost_hosts_.front()), lasts);
  }
}

// kill -9 of all that Baton has there and of all that it looks after; the host stays up.
void Simulation::KillEverything(int index, Nanos lasts) {
  Host& host = world_->hosts[index];
  if (!host.up) return;
  AgentProcess& agent = *agents_[index];
  Lasting(
      lasts,
      [&] {
        agent.Kill();
        for (Unit* unit : host.units) unit->KillForGood();
      },
      [&agent] { agent.Start(); });
  const Nanos later = world_->Jitter(0, 1500) * kMilli;
  Lasting(
      lasts + later, [] {},
      [&host] {
        for (Unit* unit : host.units) unit->StartAgain();
      });
}

void Simulation::CutOff(const std::vector<int>& hosts, Nanos lasts) {
  const auto set = [this, hosts](bool cut) {
    for (const int here : hosts) {
      for (int there = 0; there < kHosts; ++there) {
        if (there != kCoordinatorHost && there % 2 == here % 2) continue;
        world_->cut[here][there] = world_->cut[there][here] = cut;
      }
    }
  };
  Lasting(
      lasts, [set] { set(true); }, [set] { set(false); });
}

}  // namespace baton::sim
