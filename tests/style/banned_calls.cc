#include <algorithm>
#include <array>
#include <regex>
#include <string>
#include <string_view>

#include "tests/style/rules.h"

namespace baton::style {
namespace {

using Names = std::array<std::string_view, 12>;  // empty ones at the end

// Regular expressions around one of a ban's words.
struct Form {
  const char* before;
  const char* after;
};
constexpr Form kStd = {R"(\bstd::)", R"(\b)"};
constexpr Form kAbsl = {R"(\babsl::)", R"(\b)"};
constexpr Form kAnywhere = {"", R"(\b)"};
// A free function that is called: no member, and no other namespace's.
constexpr Form kCall = {R"((^|[^\w.>:]|\bstd::|(^|[^\w>])::))", R"(\s*\()"};
// The same without arguments: with some it is a variable of that name.
constexpr Form kCallOfNothing = {kCall.before, R"(\s*\(\s*\))"};

struct Ban {
  Form form;
  Names words;
  const char* instead;
  Names allowed;  // folders and files
};

constexpr char kLocks[] = "locks come from common/base/mutex.h";
constexpr char kWaiting[] = "a Scheduler's timer, or wait for the thing itself";
constexpr char kTime[] = "time comes from a Clock that is passed in";
constexpr char kChance[] =
    "chance comes from common/runtime/random.h or a seeded generator that is passed in";
constexpr char kShell[] = "programs are executed with an argument vector, never through a shell";

constexpr std::array kBans = {
    Ban{kAbsl,
        {"Mutex", "MutexLock", "ReaderMutexLock", "WriterMutexLock", "CondVar", "Notification",
         "BlockingCounter", "Barrier"},
        kLocks,
        {}},
    Ban{kStd,
        {"mutex", "shared_mutex", "recursive_mutex", "timed_mutex", "lock_guard", "unique_lock",
         "scoped_lock", "shared_lock", "condition_variable"},
        kLocks,
        {"common/base/mutex.h", "tests"}},
    Ban{kCall, {"system", "popen"}, kShell, {}},
    Ban{kCall,
        {"sleep", "usleep", "nanosleep", "clock_nanosleep"},
        kWaiting,
        {"common/runtime", "common/os", "tests/support"}},
    Ban{kAnywhere,
        {"this_thread::sleep_for", "this_thread::sleep_until", "absl::SleepFor"},
        kWaiting,
        {"common/runtime", "common/os", "tests/support"}},
    Ban{kAnywhere,
        {"_clock::now", "absl::Now", "absl::GetCurrentTimeNanos"},
        kTime,
        {"common/runtime", "common/os", "tests"}},
    Ban{kCall,
        {"clock_gettime", "gettimeofday", "time"},
        kTime,
        {"common/runtime", "common/os", "tests"}},
    Ban{kCall,
        {"rand", "srand", "srandom", "drand48", "getrandom", "getentropy"},
        kChance,
        {"common/runtime"}},
    Ban{kCallOfNothing, {"random"}, kChance, {"common/runtime"}},
    Ban{kStd, {"random_device"}, kChance, {"common/runtime"}},
    Ban{kAbsl, {"BitGen", "InsecureBitGen"}, kChance, {"common/runtime"}},
};

bool Any(const Names& names, const auto& holds) {
  return std::any_of(names.begin(), names.end(),
                     [&holds](std::string_view name) { return !name.empty() && holds(name); });
}

std::regex Pattern(const Ban& ban) {
  std::string words;
  for (const std::string_view word : ban.words) {
    if (!word.empty()) words += (words.empty() ? "" : "|") + std::string(word);
  }
  return std::regex(ban.form.before + ("(" + words + ")") + ban.form.after, std::regex::optimize);
}

}  // namespace

std::vector<Finding> CheckBannedCalls(const SourceFile& file) {
  static const std::vector<std::regex> patterns = [] {
    std::vector<std::regex> compiled;
    for (const Ban& ban : kBans) compiled.push_back(Pattern(ban));
    return compiled;
  }();
  std::vector<Finding> findings;
  const std::vector<std::string> lines = Lines(BareCode(file.text));
  for (size_t b = 0; b < kBans.size(); ++b) {
    const Ban& ban = kBans[b];
    if (Any(ban.allowed, [&](std::string_view folder) { return Under(file.path, folder); })) {
      continue;
    }
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string& line = lines[i];
      // Looking for the words first spares nearly all lines the regular expression.
      const auto occurs = [&line](std::string_view word) {
        return line.find(word) != std::string::npos;
      };
      std::smatch match;
      if (!Any(ban.words, occurs) || !std::regex_search(line, match, patterns[b])) continue;
      findings.push_back({file.path, static_cast<int>(i) + 1,
                          "\"" + match.str() + "\" is banned here: " + ban.instead});
    }
  }
  return findings;
}

}  // namespace baton::style
