// Tells at once when the files of a folder change.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "common/os/fd.h"

namespace baton {

// Wakes its reader whenever a name in the folder appears, goes, or is written. A hint, not a
// record: look at the file itself, and look now and then without a hint too. Not thread-safe.
class FenceWatch {
 public:
  static absl::StatusOr<FenceWatch> Make(const std::string& folder);

  int fd() const { return inotify_.get(); }
  // Takes all that is pending. Watches anew if the folder was replaced.
  void Drain();

 private:
  FenceWatch(Fd inotify, std::string folder);
  void Watch();

  Fd inotify_;
  std::string folder_;
};

}  // namespace baton
