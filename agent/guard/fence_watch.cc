#include "agent/guard/fence_watch.h"

#include <cerrno>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

namespace baton {

FenceWatch::FenceWatch(Fd inotify, std::string folder)
    : inotify_(std::move(inotify)), folder_(std::move(folder)) {
  Watch();
}

absl::StatusOr<FenceWatch> FenceWatch::Make(const std::string& folder) {
  Fd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify.valid()) return ErrnoStatus(errno, "cannot watch", folder);
  return FenceWatch(std::move(inotify), folder);
}

void FenceWatch::Watch() {
  inotify_add_watch(inotify_.get(), folder_.c_str(),
                    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
}

void FenceWatch::Drain() {
  alignas(inotify_event) char buffer[4096];
  while (read(inotify_.get(), buffer, sizeof(buffer)) > 0) {
  }
  Watch();  // the same watch again, unless the folder is another one now
}

}  // namespace baton
