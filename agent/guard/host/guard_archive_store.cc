#include "agent/guard/host/guard_archive_store.h"

#include <algorithm>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "agent/guard/archive.h"
#include "agent/guard/exit_codes.h"
#include "common/base/mutex.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

// baton-guard bounds each access by itself; this is only for a guard that hangs.
constexpr absl::Duration kMargin = absl::Seconds(5);
// Copying may take long; baton-guard ends it when nothing moves for share_timeout.
constexpr absl::Duration kCopyMax = absl::Hours(24);
constexpr size_t kListBytesMax = 4 << 20;
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(50);

absl::Status StatusOf(const std::string& verb, const RunResult& result, absl::Duration timeout) {
  if (result.ok()) return absl::OkStatus();
  std::string message = result.error.substr(0, result.error.find_last_not_of('\n') + 1);
  const std::string prefix = absl::StrCat("baton-guard ", verb, ": ");
  if (message.rfind(prefix, 0) == 0) message.erase(0, prefix.size());
  if (message.empty()) message = absl::StrCat("baton-guard ", verb, ": ", result.Describe(timeout));
  const int code = result.exit_status - kExitStatusBase;
  if (code >= 1 && code <= 16) return absl::Status(static_cast<absl::StatusCode>(code), message);
  return absl::UnavailableError(message);
}

// "progress DONE TOTAL" lines as they come, in pieces of any size.
class ProgressLines {
 public:
  explicit ProgressLines(std::function<void(uint64_t, uint64_t)> progress)
      : progress_(std::move(progress)) {}

  void Take(std::string_view piece) {
    text_.append(piece);
    for (size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      const std::vector<std::string> words = absl::StrSplit(text_.substr(0, end), ' ');
      text_.erase(0, end + 1);
      uint64_t done = 0;
      uint64_t total = 0;
      if (words.size() == 3 && words[0] == "progress" && absl::SimpleAtoi(words[1], &done) &&
          absl::SimpleAtoi(words[2], &total) && progress_ != nullptr) {
        progress_(done, total);
      } else if (words.size() == 2 && words[0] == "copied" && absl::SimpleAtoi(words[1], &done)) {
        copied_ = done;
      }
    }
  }
  const std::optional<uint64_t>& copied() const { return copied_; }

 private:
  std::function<void(uint64_t, uint64_t)> progress_;
  std::string text_;
  std::optional<uint64_t> copied_;
};

// Ends a program that runs when `live` says so.
class EndWhenTold {
 public:
  explicit EndWhenTold(std::function<absl::Status()> live) : live_(std::move(live)) {}
  ~EndWhenTold() {
    {
      MutexLock lock(&mutex_);
      ending_ = true;
      changed_.SignalAll();
    }
    if (thread_.joinable()) thread_.join();
  }

  void Begin(const ProcessId& program) {
    if (live_ == nullptr) return;
    thread_ = std::thread([this, program] { Work(program); });
  }

 private:
  void Work(const ProcessId& program) {
    MutexLock lock(&mutex_);
    while (!ending_) {
      if (!live_().ok()) static_cast<void>(SignalProcessGroup(program, SIGTERM));
      changed_.WaitFor(&mutex_, kBetweenLooks);
    }
  }

  const std::function<absl::Status()> live_;
  Mutex mutex_;
  CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

absl::StatusOr<ArchivedLog> ParseListed(const std::string& text) {
  ArchivedLog log;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    std::vector<uint64_t> numbers(words.size() - 1);
    bool good = words.size() >= 4;
    for (size_t i = 0; i < numbers.size(); ++i) {
      good = good && absl::SimpleAtoi(words[i + 1], &numbers[i]);
    }
    if (good && words[0] == "run" && numbers.size() == 4) {
      log.runs.push_back({static_cast<size_t>(numbers[0]), static_cast<uint32_t>(numbers[1]),
                          numbers[2], numbers[3]});
    } else if (good && words[0] == "fork" && numbers.size() == 3) {
      log.forks.push_back(
          {static_cast<size_t>(numbers[0]), static_cast<uint32_t>(numbers[1]), numbers[2]});
    } else {
      return absl::InternalError(absl::StrCat("a list of log files: found \"", line,
                                              "\", wanted \"run …\" or \"fork …\""));
    }
  }
  return log;
}

}  // namespace

absl::StatusOr<RunResult> GuardArchiveStore::RunGuard(RunOptions options) const {
  options.argv.insert(options.argv.begin(), guard_program_);
  if (options.before_start == nullptr) options.before_start = before_start_;
  BATON_ASSIGN_OR_RETURN(RunResult result, Run(options));
  BATON_RETURN_IF_ERROR(StatusOf(options.argv[1], result, options.timeout));
  return result;
}

absl::Status GuardArchiveStore::Push(const std::string& file) {
  RunOptions options;
  options.argv = {"archive-push", config_file_, file};
  options.timeout = config_.share_timeout + kMargin;
  return RunGuard(options).status();
}

std::string GuardArchiveStore::InputOf(const std::vector<Lineage>& fetch) const {
  FenceRecord lineages;
  lineages.pool = config_.pool;
  lineages.resource = config_.resource;
  lineages.fetch = fetch;
  return FormatFenceRecord(lineages);
}

absl::Duration GuardArchiveStore::ShareTimeout() const {
  return config_.share_timeout * static_cast<int64_t>(config_.shares.size() + 1) + kMargin;
}

absl::StatusOr<uint64_t> GuardArchiveStore::RunCopying(RunOptions options,
                                                       const CopyWatch& watch) const {
  const std::string verb = options.argv[0];
  ProgressLines lines(watch.progress);
  absl::StatusOr<RunResult> result;
  {
    EndWhenTold ender(watch.live);
    options.before_start = [this, &ender](const ProcessId& guard) {
      if (before_start_ != nullptr) BATON_RETURN_IF_ERROR(before_start_(guard));
      ender.Begin(guard);
      return absl::OkStatus();
    };
    options.timeout = kCopyMax;
    options.output_bytes_max = 0;
    options.on_output = [&lines](std::string_view piece) { lines.Take(piece); };
    result = RunGuard(std::move(options));
  }
  if (result.ok() && lines.copied().has_value()) return *lines.copied();
  if (watch.live != nullptr) BATON_RETURN_IF_ERROR(watch.live());
  BATON_RETURN_IF_ERROR(result.status());
  return absl::InternalError(
      absl::StrCat("baton-guard ", verb, ": found no \"copied BYTES\" at its end"));
}

absl::StatusOr<uint64_t> GuardArchiveStore::CopyPending(const std::vector<Lineage>& fetch,
                                                        const CopyWatch& watch) {
  RunOptions options;
  options.argv = {"archive-copy", config_file_, "-"};
  options.input = InputOf(fetch);
  return RunCopying(std::move(options), watch);
}

absl::StatusOr<ArchivedLog> GuardArchiveStore::List(const std::vector<Lineage>& fetch,
                                                    const std::string& from, ArchivePlace place) {
  if (place == ArchivePlace::kCopied) {
    BATON_ASSIGN_OR_RETURN(const std::string lines, ListLogFiles(config_, fetch, from, false));
    return ParseListed(lines);
  }
  RunOptions options;
  options.argv = {"archive-list", config_file_, from};
  options.input = InputOf(fetch);
  options.timeout = ShareTimeout();
  options.output_bytes_max = kListBytesMax;
  BATON_ASSIGN_OR_RETURN(const RunResult result, RunGuard(std::move(options)));
  return ParseListed(result.output);
}

absl::StatusOr<uint64_t> GuardArchiveStore::Salvage(const std::vector<Lineage>& fetch,
                                                    const std::string& data_directory,
                                                    const std::string& from,
                                                    const CopyWatch& watch) {
  RunOptions options;
  options.argv = {"archive-salvage", config_file_, data_directory, from};
  options.input = InputOf(fetch);
  return RunCopying(std::move(options), watch);
}

absl::Status GuardArchiveStore::PrepareShare() {
  RunOptions options;
  options.argv = {"archive-prepare", config_file_};
  options.timeout = ShareTimeout();
  return RunGuard(options).status();
}

absl::StatusOr<ShippingCommands> GuardArchiveStore::Commands() {
  for (const std::string& path : {guard_program_, config_file_}) {
    const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
             std::string_view("/._-+,@:=").find(c) != std::string_view::npos;
    });
    if (!plain || path.empty() || path.front() != '/') {
      return absl::FailedPreconditionError(
          absl::StrCat("found \"", path,
                       "\", wanted an absolute path of letters, digits and /._-+,@:= for the "
                       "database's settings; move it"));
    }
  }
  return ShippingCommands{absl::StrCat(guard_program_, " archive-push ", config_file_, " %p"),
                          absl::StrCat(guard_program_, " archive-fetch ", config_file_, " %f %p")};
}

absl::Status GuardArchiveStore::CheckShares() {
  RunOptions options;
  options.argv = {"archive-check", config_file_};
  options.timeout = ShareTimeout();
  return RunGuard(options).status();
}

}  // namespace baton
