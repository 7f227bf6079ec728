#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

#include "tests/style/rules.h"

namespace baton::style {
namespace {

struct Ban {
  const char* pattern;  // searched in bare code, line by line
  const char* instead;
  std::array<std::string_view, 4> allowed;  // folders and files; empty ones at the end
};

// What comes before a free function's name: nothing that makes it a member or another's function.
#define BATON_FREE R"((^|[^\w.>:]|\bstd::|(^|[^\w>])::))"

constexpr std::array kBans = {
    Ban{R"(\babsl::(Mutex|MutexLock|ReaderMutexLock|WriterMutexLock|CondVar|Notification|)"
        R"(BlockingCounter|Barrier)\b)",
        "locks come from common/base/mutex.h",
        {}},
    Ban{R"(\bstd::(mutex|shared_mutex|recursive_mutex|timed_mutex|lock_guard|unique_lock|)"
        R"(scoped_lock|shared_lock|condition_variable)\b)",
        "locks come from common/base/mutex.h",
        {"common/base/mutex.h", "tests"}},
    Ban{BATON_FREE R"((system|popen)\s*\()",
        "programs are executed with an argument vector, never through a shell",
        {}},
    Ban{BATON_FREE R"((sleep|usleep|nanosleep|clock_nanosleep)\s*\()",
        "a Scheduler's timer, or wait for the thing itself",
        {"common/runtime", "common/os", "tests/support"}},
    Ban{R"(\bthis_thread::sleep_|\babsl::SleepFor\b)",
        "a Scheduler's timer, or wait for the thing itself",
        {"common/runtime", "common/os", "tests/support"}},
    Ban{R"(_clock::now\b|\babsl::Now\s*\(|\babsl::GetCurrentTimeNanos\b)",
        "time comes from a Clock that is passed in",
        {"common/runtime", "common/os", "tests"}},
    Ban{BATON_FREE R"((clock_gettime|gettimeofday|time)\s*\()",
        "time comes from a Clock that is passed in",
        {"common/runtime", "common/os", "tests"}},
    Ban{BATON_FREE R"((rand|srand|random|srandom|drand48|getrandom|getentropy)\s*\()",
        "chance comes from common/runtime/random.h or a seeded generator that is passed in",
        {"common/runtime"}},
    Ban{R"(\bstd::random_device\b|\babsl::(Insecure)?BitGen\b)",
        "chance comes from common/runtime/random.h or a seeded generator that is passed in",
        {"common/runtime"}},
};
#undef BATON_FREE

bool Allowed(const Ban& ban, std::string_view path) {
  return std::any_of(ban.allowed.begin(), ban.allowed.end(), [path](std::string_view folder) {
    return !folder.empty() && Under(path, folder);
  });
}

}  // namespace

std::vector<Finding> CheckBannedCalls(const SourceFile& file) {
  static const std::vector<std::regex> patterns = [] {
    std::vector<std::regex> compiled;
    for (const Ban& ban : kBans) compiled.emplace_back(ban.pattern, std::regex::optimize);
    return compiled;
  }();
  std::vector<Finding> findings;
  const std::vector<std::string> lines = Lines(BareCode(file.text));
  for (size_t b = 0; b < kBans.size(); ++b) {
    if (Allowed(kBans[b], file.path)) continue;
    for (size_t i = 0; i < lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(lines[i], match, patterns[b])) continue;
      findings.push_back({file.path, static_cast<int>(i) + 1,
                          "\"" + match.str() + "\" is banned here: " + kBans[b].instead});
    }
  }
  return findings;
}

}  // namespace baton::style
