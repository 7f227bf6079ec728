// The person or script at the other end, as the commands see them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace baton {

// Where text goes and answers come from. Used by one thread.
class Console {
 public:
  virtual ~Console() = default;

  // To standard output: what was asked for.
  virtual void Print(std::string_view text) = 0;
  // To standard error: everything else.
  virtual void Note(std::string_view text) = 0;
  // True when a person sits at both ends: questions may be asked and lines redrawn.
  virtual bool interactive() const = 0;
  // Of the window, in characters.
  struct Size {
    int columns = 80;
    int rows = 24;
  };
  virtual Size size() const = 0;
  // Asks on standard error; true for yes. Only when interactive.
  virtual bool Confirm(std::string_view question) = 0;
};

// Ctrl-C, for commands that look on while something else goes its way. Thread-safe.
class Interrupt {
 public:
  // While one lives, Trigger is answered by it rather than by ending the process. `f` (may be null)
  // is called from the triggering thread, at most once.
  class Scope {
   public:
    Scope(Interrupt& interrupt, std::function<void()> f);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt& interrupt_;
    std::function<void()> outer_;
  };

  // False when no scope lives: then the process is to end as it would without Baton's say.
  bool Trigger();
  bool triggered() const;
  // True as soon as triggered; false after `duration`.
  bool WaitFor(absl::Duration duration);

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  bool triggered_ ABSL_GUARDED_BY(mutex_) = false;
  int scopes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> f_ ABSL_GUARDED_BY(mutex_);
};

// What a command is given besides its options and the coordinator. Nothing is owned.
struct Terminal {
  Console& console;
  Interrupt& interrupt;
  const Clock& clock;
};

}  // namespace baton
