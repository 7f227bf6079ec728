// A console whose text can be compared, with the rest of a terminal around it.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/runtime/system_clock.h"
#include "coordinator/cli/terminal.h"

namespace baton {

class FakeConsole : public Console {
 public:
  void Print(std::string_view text) override {
    MutexLock lock(&mutex_);
    out_ += text;
    changed_.SignalAll();
  }
  void Note(std::string_view text) override {
    MutexLock lock(&mutex_);
    err_ += text;
    changed_.SignalAll();
  }
  bool interactive() const override { return interactive_; }
  Size size() const override { return {100, 40}; }
  bool Confirm(std::string_view question) override {
    questions_.emplace_back(question);
    if (answers_.empty()) return false;
    const bool answer = answers_.front();
    answers_.pop_front();
    return answer;
  }

  void set_interactive(bool interactive) { interactive_ = interactive; }
  void Answer(bool yes) { answers_.push_back(yes); }
  const std::vector<std::string>& questions() const { return questions_; }
  std::string out() const {
    MutexLock lock(&mutex_);
    return out_;
  }
  std::string err() const {
    MutexLock lock(&mutex_);
    return err_;
  }
  // Until standard output or standard error holds `text`. False after half a minute.
  bool WaitForOutput(const std::string& text) { return WaitFor(out_, text); }
  bool WaitForNote(const std::string& text) { return WaitFor(err_, text); }

 private:
  bool WaitFor(const std::string& where, const std::string& text) {
    MutexLock lock(&mutex_);
    for (int i = 0; i < 300 && where.find(text) == std::string::npos; ++i) {
      changed_.WaitFor(&mutex_, absl::Milliseconds(100));
    }
    return where.find(text) != std::string::npos;
  }

  bool interactive_ = false;
  std::deque<bool> answers_;
  std::vector<std::string> questions_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::string out_;
  std::string err_;
};

// Everything that a verb is given besides its options and the coordinator.
struct FakeTerminal {
  FakeConsole console;
  Interrupt interrupt;
  SystemClock clock;
  Terminal terminal() { return {console, interrupt, clock}; }
};

}  // namespace baton
