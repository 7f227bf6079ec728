// How a database ships its log, and follows another's.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/guard/log_file_name.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/unit.h"
#include "tests/simulation/world.h"

namespace baton::sim {
namespace {

constexpr Nanos kArchiveTimeout = kSecond;

// What PushLogFile asks the fence file (agent/guard/archive_push.cc).
std::optional<Lineage> ShippingLineage(const Unit& unit) {
  const auto& fence = unit.fence.visible;
  if (!fence.has_value() || !fence->write.has_value()) return std::nullopt;
  if (fence->phase == FencePhase::kClosed) return std::nullopt;
  return fence->write;
}

}  // namespace

void Unit::Append(int64_t message) {
  const Nanos now = world_.queue.now();
  data.Append(world_.NewEntryId(), message, now, now + host.wall_offset);
}

PushResult Push(World& world, const Unit& unit, const FileName& name, const LogFile& file,
                const LineageKey& key, const ShareId& to) {
  Share& share = *world.ShareOf(to);
  Archive* archive = &share.files;
  if (!share.Readable()) {
    if (!world.Is(Mutation::kMarkerNotRead)) return PushResult::kNoShare;
    archive = &share.under_mount_point;
  }
  if (share.full) return PushResult::kNoShare;
  const auto [it, added] = archive->try_emplace({key, name}, nullptr);
  if (added) {
    it->second = std::make_shared<const LogFile>(file);
  } else if (!it->second->SameBytes(file)) {
    world.Tell([&] {
      return absl::StrCat(unit.ref.ToString(), ": the share has other bytes under segment ",
                          name.segment, " of timeline ", name.timeline);
    });
    return PushResult::kOtherBytes;
  }
  world.oracle->OnShipped(unit, name, share);
  if (added && archive == &share.files) share.SpoilShipped(it);
  world.WakeFollowers();
  return PushResult::kStored;
}

void Unit::ArchiveTick() {
  world_.queue.At(server, kArchiveTimeout, [this] {
    if (state_ != ServerState::kPrimary) return;
    data.Switch();
    ArchiveSoon(kMilli);
    ArchiveTick();
  });
}

void Unit::ArchiveSoon(Nanos delay) {
  if (archiving_ || data.ready.empty()) return;
  archiving_ = true;
  world_.queue.At(server, delay, [this] { ArchiveOne(); });
}

// One file: asks the fence, stores, asks the fence again. A shipper that hangs in between is one
// more thing that may happen.
void Unit::ArchiveOne() {
  archiving_ = false;
  if (!is_database() || data.ready.empty()) return;
  if (state_ != ServerState::kPrimary && state_ != ServerState::kStopping) return;
  const FileName name = data.ready.front();
  const std::optional<Lineage> lineage = ShippingLineage(*this);
  archive_failing = !lineage.has_value();
  if (!lineage.has_value()) return ArchiveSoon(200 * kMilli);
  archiving_ = true;
  world_.oracle->OnAsksToShip(*this, world_.KeyOf(database, *lineage));
  const Share& share = *world_.ShareOf(lineage->share);
  const Nanos takes = world_.Jitter(1, 5) * kMilli * share.slowness;
  world_.queue.At(server, takes, [this, name, lineage = *lineage] {
    archiving_ = false;
    const LineageKey key = world_.KeyOf(database, lineage);
    const PushResult result = Push(world_, *this, name, *data.Read(name), key, lineage.share);
    const bool still = ShippingLineage(*this) == lineage;
    archive_failing = result != PushResult::kStored || !still;
    if (!archive_failing) data.MarkDone(name);
    ArchiveSoon(archive_failing ? 200 * kMilli : kMilli);
  });
}

// --- following ---

std::shared_ptr<const LogFile> Unit::Fetch(const FileName& name) {
  if (!fence.visible.has_value()) return nullptr;
  const std::vector<Lineage>& fetch = fence.visible->fetch;
  const bool holder = fence.visible->write.has_value();
  for (size_t i = holder ? CountSettled(fetch) : fetch.size(); i > 0; --i) {
    const Lineage& lineage = fetch[i - 1];
    const auto key = std::make_pair(world_.KeyOf(database, lineage), name);
    const bool served = Served(name, lineage.sealed);
    if (const auto found = copied.find(key); found != copied.end()) {
      if (served) return found->second;
      continue;
    }
    if (holder) continue;
    const Share& share = *world_.ShareOf(lineage.share);
    if (!share.Readable() && !world_.Is(Mutation::kMarkerNotRead)) return nullptr;
    if (!share.Readable()) continue;
    const Archive& seen = share.SeenFrom(host.index);
    const auto there = seen.find(key);
    if (there == seen.end() || !served) continue;
    if (there->second->damaged && !world_.Is(Mutation::kDamagedLogTaken)) return nullptr;
    copied[key] = there->second;
    return there->second;
  }
  return nullptr;
}

void Unit::ReplaySoon(Nanos delay) {
  if (replay_due_ || state_ != ServerState::kStandby) return;
  replay_due_ = true;
  world_.queue.At(server, delay, [this] {
    replay_due_ = false;
    Replay();
  });
}

Unit::Chain Unit::FollowChain(const std::vector<Lineage>& fetch, bool shares) const {
  std::map<uint32_t, uint64_t> starts;               // of timelines after the present one
  std::vector<std::pair<uint32_t, uint64_t>> files;  // timeline, segment; from the present one on
  uint64_t segment = data.end / kSegmentBytes;
  const FileName present{data.timeline, segment, false};
  for (const Lineage& lineage : fetch) {
    const LineageKey key = world_.KeyOf(database, lineage);
    const Share& share = *world_.ShareOf(lineage.share);
    for (const Archive* archive : {&copied, &share.SeenFrom(host.index)}) {
      if (archive != &copied && (!shares || !share.Readable())) continue;
      for (auto it = archive->lower_bound({key, present});
           it != archive->end() && it->first.first == key; ++it) {
        const FileName& name = it->first.second;
        if (!Served(name, lineage.sealed)) continue;
        if (!name.history) {
          files.emplace_back(name.timeline, name.segment);
        } else if (name.timeline > data.timeline && it->second->history.back().lsn >= data.end) {
          starts[name.timeline] = it->second->history.back().lsn;
        }
      }
    }
  }
  std::sort(files.begin(), files.end());
  const auto wanted = [&](uint64_t segment) {
    uint32_t timeline = data.timeline;
    for (const auto& [later, lsn] : starts) {
      if (lsn / kSegmentBytes <= segment) timeline = std::max(timeline, later);
    }
    return timeline;
  };
  while (std::binary_search(files.begin(), files.end(), std::pair(wanted(segment), segment))) {
    ++segment;
  }
  Chain chain;
  chain.end = {wanted(segment), std::max<uint64_t>(segment * kSegmentBytes, 1) - 1};
  chain.gap = std::any_of(files.begin(), files.end(), [&](const auto& file) {
    return file.first >= wanted(segment) && file.second > segment;
  });
  return chain;
}

// Where the present timeline has to be left, and for which one; none: it goes on.
std::optional<Branch> Unit::LeaveTimeline() {
  const std::vector<Lineage>& fetch = fence.visible->fetch;
  const bool holder = fence.visible->write.has_value();
  const LogFile* best = nullptr;
  uint32_t best_timeline = data.timeline;
  const size_t count = holder ? CountSettled(fetch) : fetch.size();
  for (size_t i = 0; i < count; ++i) {
    const Lineage& lineage = fetch[i];
    const LineageKey key = world_.KeyOf(database, lineage);
    const Share& share = *world_.ShareOf(lineage.share);
    const Archive& seen = share.SeenFrom(host.index);
    for (const Archive* archive : {static_cast<const Archive*>(&copied), &seen}) {
      if (archive == &seen && (holder || !share.Readable())) continue;
      for (auto it = archive->lower_bound({key, FileName{best_timeline + 1}});
           it != archive->end() && it->first.first == key; ++it) {
        if (!it->first.second.history || it->first.second.timeline <= best_timeline) continue;
        best = it->second.get();
        best_timeline = it->first.second.timeline;
      }
    }
  }
  if (best == nullptr) return std::nullopt;
  for (size_t i = 0; i < best->history.size(); ++i) {
    const Branch& branch = best->history[i];
    if (branch.timeline != data.timeline) continue;
    if (data.end > branch.lsn) {
      problem = absl::StrCat("its log goes past ", branch.lsn, ", where timeline ",
                             branch.timeline + 1, " left its own");
      return std::nullopt;
    }
    const uint32_t next =
        i + 1 < best->history.size() ? best->history[i + 1].timeline : best_timeline;
    if (data.end == branch.lsn) {
      data.EnterTimeline(next, {best->history.begin(), best->history.begin() + i + 1});
      return LeaveTimeline();
    }
    return Branch{next, branch.lsn};
  }
  problem = absl::StrCat("timeline ", best_timeline, " does not come from its own");
  return std::nullopt;
}

void Unit::Replay() {
  if (state_ != ServerState::kStandby || !fence.visible.has_value()) return;
  if (world_.Is(Mutation::kStandbyPromotesItself) && world_.queue.now() > 2 * kSecond) {
    AskToPromote();
  }
  const LogPosition before = data.Position();
  for (bool moved = true; moved;) {
    problem.clear();
    const std::optional<Branch> leave = LeaveTimeline();
    const uint64_t until = leave.has_value() ? leave->lsn : UINT64_MAX;
    const uint64_t segment = data.end / kSegmentBytes;
    std::shared_ptr<const LogFile> file = Fetch({data.timeline, segment, false});
    moved = file != nullptr && data.Apply(*file, until);
    // The first file of the next timeline begins with what the one before had in that segment.
    if (moved || !leave.has_value() || until / kSegmentBytes != segment) continue;
    file = Fetch({leave->timeline, segment, false});
    moved = file != nullptr && data.Apply(*file, until);
  }
  idle_replays = before == data.Position() ? idle_replays + 1 : 0;
  if (!problem.empty()) world_.oracle->OnDiverged(*this);
}

}  // namespace baton::sim
