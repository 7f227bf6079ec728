// How `baton` ends. Scripts rely on these numbers: they are never given another meaning.
#pragma once

#include <array>

namespace baton {

enum class ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kRefused = 3,
  kUnreachable = 4,
  kStillRunning = 5,
  kUndone = 6,
  kWaiting = 7,
  kDeclined = 8,
};

struct ExitCodeText {
  ExitCode code;
  const char* text;
};

inline constexpr std::array kExitCodeTexts = {
    ExitCodeText{ExitCode::kDone, "done"},
    ExitCodeText{ExitCode::kFailed, "failed: the plan, or something nobody foresaw"},
    ExitCodeText{ExitCode::kUsage, "usage: a wrong word, or the name of something unknown"},
    ExitCodeText{ExitCode::kRefused, "refused by a rule (a dry run: would be); nothing was done"},
    ExitCodeText{ExitCode::kUnreachable, "no answer from the coordinator"},
    ExitCodeText{ExitCode::kStillRunning, "the plan still runs; only watching it ended"},
    ExitCodeText{ExitCode::kUndone, "the plan was undone; chat is served where it was"},
    ExitCodeText{ExitCode::kWaiting,
                 "the plan waits for an operator, or is paused (baton pause itself: 0)"},
    ExitCodeText{ExitCode::kDeclined, "the question was answered with no; nothing was done"},
};

}  // namespace baton
