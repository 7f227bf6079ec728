#include "agent/guard/host/guard_archive_store.h"

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "agent/guard/archive.h"
#include "agent/guard/exit_codes.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

// baton-guard bounds each access by itself; this is only for a guard that hangs.
constexpr absl::Duration kMargin = absl::Seconds(5);
// Copying may take long; baton-guard ends it when nothing moves for share_timeout.
constexpr absl::Duration kCopyMax = absl::Hours(24);

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

}  // namespace

absl::StatusOr<RunResult> GuardArchiveStore::RunGuard(RunOptions options) const {
  options.argv.insert(options.argv.begin(), guard_program_);
  options.before_start = before_start_;
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

absl::StatusOr<uint64_t> GuardArchiveStore::CopyPending(
    const std::vector<Lineage>& fetch, std::function<void(uint64_t, uint64_t)> progress) {
  FenceRecord lineages;
  lineages.pool = config_.pool;
  lineages.resource = config_.resource;
  lineages.fetch = fetch;
  ProgressLines lines(std::move(progress));
  RunOptions options;
  options.argv = {"archive-copy", config_file_, "-"};
  options.input = FormatFenceRecord(lineages);
  options.timeout = kCopyMax;
  options.output_bytes_max = 0;
  options.on_output = [&lines](std::string_view piece) { lines.Take(piece); };
  BATON_RETURN_IF_ERROR(RunGuard(options).status());
  if (lines.copied().has_value()) return *lines.copied();
  return absl::InternalError("baton-guard archive-copy: found no \"copied BYTES\" at its end");
}

absl::Status GuardArchiveStore::CheckShares() {
  RunOptions options;
  options.argv = {"archive-check", config_file_};
  options.timeout =
      config_.share_timeout * static_cast<int64_t>(config_.shares.size() + 1) + kMargin;
  return RunGuard(options).status();
}

absl::StatusOr<std::vector<std::string>> GuardArchiveStore::Copied(
    const std::vector<Lineage>& fetch) {
  return CopiedLogFiles(config_, fetch);
}

}  // namespace baton
