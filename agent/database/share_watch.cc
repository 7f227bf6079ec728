#include "agent/database/share_watch.h"

#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"

#include "common/base/mutex.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kEndTimeout = absl::Seconds(1);

}  // namespace

struct ShareWatch::State {
  State(ArchiveStore* of, const Clock* by) : archive(of), clock(by) {}

  ArchiveStore* const archive;
  const Clock* const clock;
  Mutex mutex;
  CondVar changed;
  bool wanted ABSL_GUARDED_BY(mutex) = false;
  bool ending ABSL_GUARDED_BY(mutex) = false;
  bool ended ABSL_GUARDED_BY(mutex) = false;
  std::vector<Lineage> fetch ABSL_GUARDED_BY(mutex);
  std::string from ABSL_GUARDED_BY(mutex);
  std::vector<Lineage> seen_fetch ABSL_GUARDED_BY(mutex);
  std::optional<ShareView> seen ABSL_GUARDED_BY(mutex);
  absl::Duration looked ABSL_GUARDED_BY(mutex) = -absl::InfiniteDuration();

  void Work() {
    while (true) {
      std::vector<Lineage> lineages;
      std::string first;
      {
        MutexLock lock(&mutex);
        while (!wanted && !ending) changed.Wait(&mutex);
        if (ending) {
          ended = true;
          changed.SignalAll();
          return;
        }
        wanted = false;
        lineages = fetch;
        first = from;
      }
      ShareView view = Look(lineages, first);
      MutexLock lock(&mutex);
      seen = std::move(view);
      seen_fetch = std::move(lineages);
      looked = clock->SinceBoot();
    }
  }

  ShareView Look(const std::vector<Lineage>& lineages, const std::string& first) const {
    ShareView view;
    absl::StatusOr<ArchivedLog> log =
        archive->List(lineages, first, ArchivePlace::kCopiedAndShares);
    if (!log.ok()) {
      view.problem = std::string(log.status().message());
      log = archive->List(lineages, first, ArchivePlace::kCopied);
    }
    if (log.ok()) view.log = *std::move(log);
    return view;
  }
};

ShareWatch::ShareWatch(ArchiveStore* archive, const Clock* clock)
    : clock_(clock), state_(std::make_shared<State>(archive, clock)) {
  std::thread([state = state_] { state->Work(); }).detach();
}

ShareWatch::~ShareWatch() {
  const absl::Duration deadline = clock_->SinceBoot() + kEndTimeout;
  MutexLock lock(&state_->mutex);
  state_->ending = true;
  state_->changed.SignalAll();
  while (!state_->ended && clock_->SinceBoot() < deadline) {
    state_->changed.WaitFor(&state_->mutex, deadline - clock_->SinceBoot());
  }
}

std::optional<ShareView> ShareWatch::Ask(const std::vector<Lineage>& fetch,
                                         const std::string& from) {
  MutexLock lock(&state_->mutex);
  const bool other = fetch != state_->seen_fetch;
  if (other || clock_->SinceBoot() - state_->looked >= kInterval) {
    state_->fetch = fetch;
    state_->from = from;
    state_->wanted = true;
    state_->changed.SignalAll();
  }
  return other ? std::nullopt : state_->seen;
}

}  // namespace baton::postgresql
