#include "tests/simulation/storage.h"

#include <algorithm>
#include <utility>

namespace baton::sim {

bool LogFile::SameBytes(const LogFile& other) const {
  if (complete != other.complete || damaged != other.damaged || history != other.history ||
      entries.size() != other.entries.size()) {
    return false;
  }
  return std::equal(entries.begin(), entries.end(), other.entries.begin(),
                    [](const LogEntry& a, const LogEntry& b) { return a.id == b.id; });
}

void Share::SpoilShipped(const Archive::iterator& shipped) {
  if (next == Spoil::kNone || shipped->first.second.history) return;
  if (std::exchange(next, Spoil::kNone) == Spoil::kVanishes) {
    gone.insert(shipped->first);
    files.erase(shipped);
    return;
  }
  auto spoilt = std::make_shared<LogFile>(*shipped->second);
  spoilt->damaged = true;
  spoilt->entries.resize(spoilt->entries.size() / 2);
  shipped->second = std::move(spoilt);
}

bool Share::HoldsDamaged() const {
  return std::any_of(files.begin(), files.end(),
                     [](const auto& file) { return file.second->damaged; });
}

void Share::MoveDamagedAside() {
  for (auto file = files.begin(); file != files.end();) {
    if (file->second->damaged) {
      gone.insert(file->first);
      file = files.erase(file);
    } else {
      ++file;
    }
  }
}

void DataDirectory::Append(uint64_t id, int64_t message, int64_t at, int64_t dated) {
  own_.reset();
  log.push_back({end, id, message, at, dated});
  end += kEntryBytes;
  if (end % kSegmentBytes == 0) ready.push_back({timeline, end / kSegmentBytes - 1, false});
}

void DataDirectory::Switch() {
  if (end % kSegmentBytes == 0 || log.empty()) return;
  const uint64_t segment = end / kSegmentBytes;
  if (log.back().lsn / kSegmentBytes != segment) return;
  ready.push_back({timeline, segment, false});
  end = (segment + 1) * kSegmentBytes;
}

void DataDirectory::ShutDown(uint64_t id, int64_t at, int64_t dated) {
  checkpoint = end;
  Append(id, 0, at, dated);
  control = Control::kStopped;
}

void DataDirectory::Promote(uint32_t new_timeline) {
  own_.reset();
  history.push_back({timeline, end});
  timeline = new_timeline;
  standby_signal = false;
  control = Control::kRunning;
  ready.push_back({timeline, 0, true});
}

std::shared_ptr<const LogFile> DataDirectory::Read(const FileName& name) const {
  auto file = std::make_shared<LogFile>();
  if (name.history) {
    for (const Branch& branch : history) {
      if (branch.timeline < name.timeline) file->history.push_back(branch);
    }
    return file;
  }
  const uint64_t from = name.segment * kSegmentBytes;
  const auto by_lsn = [](const LogEntry& entry, uint64_t lsn) { return entry.lsn < lsn; };
  const auto first = std::lower_bound(log.begin(), log.end(), from, by_lsn);
  const auto last = std::lower_bound(first, log.end(), from + kSegmentBytes, by_lsn);
  file->entries.assign(first, last);
  file->complete = end >= from + kSegmentBytes;
  return file;
}

std::vector<FileName> DataDirectory::NotDone(uint64_t last) const {
  std::vector<FileName> found;
  for (uint64_t n = FirstOfTimeline() / kSegmentBytes; n <= last / kSegmentBytes; ++n) {
    const FileName name{timeline, n, false};
    if (!done.contains(name)) found.push_back(name);
  }
  return found;
}

void DataDirectory::MarkDone(const FileName& name) {
  done.insert(name);
  std::erase(ready, name);
}

bool DataDirectory::Holds(int64_t message) const {
  return std::any_of(log.begin(), log.end(),
                     [&](const LogEntry& entry) { return entry.message == message; });
}

void DataDirectory::RememberOwn() {
  if (!own_.has_value()) own_ = OwnLog{timeline, end, history};
}

void DataDirectory::EnterTimeline(uint32_t next, std::vector<Branch> left) {
  RememberOwn();
  history = std::move(left);
  timeline = next;
}

void DataDirectory::ForgetRestored() {
  if (!own_.has_value()) return;
  forgotten = std::max(forgotten, Position());
  timeline = own_->timeline;
  end = own_->end;
  history = std::move(own_->history);
  own_.reset();
  std::erase_if(log, [this](const LogEntry& entry) { return entry.lsn >= end; });
}

bool DataDirectory::Apply(const LogFile& file, uint64_t until) {
  RememberOwn();
  const uint64_t before = end;
  const uint64_t next_segment = (end / kSegmentBytes + 1) * kSegmentBytes;
  for (const LogEntry& entry : file.entries) {
    if (entry.lsn < end || entry.lsn >= until) continue;
    log.push_back(entry);
    end = entry.lsn + kEntryBytes;
  }
  if (file.complete && until >= next_segment) end = std::max(end, next_segment);
  return end != before;
}

bool Served(const FileName& name, const std::optional<LogPosition>& sealed) {
  return name.history || !sealed.has_value() || name.segment * kSegmentBytes <= sealed->lsn;
}

}  // namespace baton::sim
