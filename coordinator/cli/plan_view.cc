#include "coordinator/cli/plan_view.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

constexpr absl::Duration kTakesLong = absl::Seconds(2);

bool Ended(const v1::Step& step) {
  return step.state() == v1::STEP_STATE_SUCCEEDED || step.state() == v1::STEP_STATE_FAILED ||
         step.state() == v1::STEP_STATE_SKIPPED;
}

bool Running(const v1::Step& step) {
  return step.state() == v1::STEP_STATE_RUNNING || step.state() == v1::STEP_STATE_UNKNOWN;
}

std::string TimeOf(const v1::Step& step, absl::Duration elapsed) {
  if (Ended(step) && step.has_start_time() && step.has_end_time()) {
    return Took(ToTime(step.end_time()) - ToTime(step.start_time()));
  }
  return Running(step) ? Took(elapsed) : "";
}

std::string RemarkOf(const v1::Step& step) {
  std::string remark = step.attempt() > 1 ? absl::StrCat("attempt ", step.attempt()) : "";
  const std::string& said = Ended(step) && step.state() != v1::STEP_STATE_SUCCEEDED
                                ? step.outcome().message()
                            : Running(step) ? step.progress()
                                            : remark;
  if (!said.empty() && &said != &remark) {
    absl::StrAppend(&remark, remark.empty() ? "" : "; ", said);
  }
  return remark;
}

std::string StepLine(const v1::Step& step, size_t title_width, absl::Duration elapsed) {
  std::string title = CutTo(Printable(step.title()), title_width);
  title.append(title_width - std::min(title_width, Width(title)), ' ');
  std::string line = absl::StrFormat("  %3d  %s  %-9s  %s", step.index() + 1, title,
                                     Word(step.state()), TimeOf(step, elapsed));
  if (const std::string remark = RemarkOf(step); !remark.empty()) {
    absl::StrAppend(&line, "  ", Printable(remark));
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

class SilentView : public PlanView {
 public:
  void Show(const v1::Plan&) override {}
};

class PlainView : public PlanView {
 public:
  explicit PlainView(const Terminal& terminal) : terminal_(terminal) {}

  void Show(const v1::Plan& plan) override {
    if (std::exchange(title_, PlanTitle(plan)).empty()) terminal_.console.Print(title_ + "\n");
    size_t title_width = 0;
    for (const v1::Step& step : plan.steps()) {
      title_width = std::max(title_width, Width(step.title()));
    }
    for (const v1::Step& step : plan.steps()) {
      if (IsShown(step)) ShowStep(step, title_width);
    }
  }

 private:
  void ShowStep(const v1::Step& step, size_t title_width) {
    const absl::Duration elapsed = since_.Elapsed(step, terminal_.clock.SinceBoot());
    const bool told = Ended(step) || step.state() == v1::STEP_STATE_UNKNOWN ||
                      (Running(step) && elapsed >= kTakesLong);
    if (!told) return;
    const std::pair<uint32_t, int> now(step.attempt(), step.state());
    const auto [last, is_new] = told_.emplace(step.index(), now);
    if (!is_new && last->second == now) return;
    last->second = now;
    terminal_.console.Print(StepLine(step, title_width, elapsed) + "\n");
  }

  const Terminal terminal_;
  std::string title_;
  RunningSince since_;
  std::map<uint32_t, std::pair<uint32_t, int>> told_;
};

class LiveView : public PlanView {
 public:
  explicit LiveView(const Terminal& terminal) : terminal_(terminal) {}

  void Show(const v1::Plan& plan) override {
    std::map<uint32_t, absl::Duration> elapsed;
    for (const v1::Step& step : plan.steps()) {
      elapsed[step.index()] = since_.Elapsed(step, terminal_.clock.SinceBoot());
    }
    const std::string frame = PlanFrame(plan, terminal_.console.size(), elapsed);
    // Back to the first line of the last frame, then each line drawn over and what is left cleared.
    std::string drawn = lines_ > 0 ? absl::StrCat("\x1b[", lines_, "A\r") : "";
    lines_ = static_cast<int>(std::count(frame.begin(), frame.end(), '\n'));
    for (const char c : frame) {
      if (c == '\n') drawn += "\x1b[K";
      drawn += c;
    }
    terminal_.console.Print(drawn + "\x1b[J");
  }

  void BeginAnew() override { lines_ = 0; }

 private:
  const Terminal terminal_;
  RunningSince since_;
  int lines_ = 0;
};

}  // namespace

absl::Duration RunningSince::Elapsed(const v1::Step& step, absl::Duration now) {
  if (!Running(step)) return absl::ZeroDuration();
  const auto [first, is_new] = first_seen_.emplace(std::pair(step.index(), step.attempt()), now);
  return now - first->second;
}

std::string PlanFrame(const v1::Plan& plan, Console::Size size,
                      const std::map<uint32_t, absl::Duration>& elapsed) {
  std::vector<const v1::Step*> shown;
  size_t title_width = 10;
  for (const v1::Step& step : plan.steps()) {
    if (!IsShown(step)) continue;
    shown.push_back(&step);
    title_width = std::max(title_width, Width(step.title()));
  }
  const auto columns = static_cast<size_t>(std::max(size.columns, 40)) - 1;
  title_width = std::min(title_width, columns > 60 ? columns - 36 : 24);
  // What has ended makes room first, oldest first.
  const auto room = static_cast<size_t>(std::max(size.rows - 4, 5));
  size_t ended_skipped = 0;
  while (shown.size() > room && Ended(*shown.front())) {
    shown.erase(shown.begin());
    ++ended_skipped;
  }
  const size_t left_out = shown.size() > room ? shown.size() - room : 0;
  shown.resize(shown.size() - left_out);
  std::string frame = CutTo(PlanTitle(plan), columns) + "\n";
  if (ended_skipped > 0) absl::StrAppend(&frame, "       ", ended_skipped, " steps done\n");
  for (const v1::Step* step : shown) {
    const auto found = elapsed.find(step->index());
    const absl::Duration time = found == elapsed.end() ? absl::ZeroDuration() : found->second;
    absl::StrAppend(&frame, CutTo(StepLine(*step, title_width, time), columns), "\n");
  }
  if (left_out > 0) absl::StrAppend(&frame, "       ", left_out, " steps more\n");
  return frame;
}

std::unique_ptr<PlanView> MakePlanView(const Options& options, const Terminal& terminal) {
  if (options.output == Output::kJson) return std::make_unique<SilentView>();
  if (terminal.console.interactive()) return std::make_unique<LiveView>(terminal);
  return std::make_unique<PlainView>(terminal);
}

}  // namespace baton
