#include "tests/simulation/scenario_file.h"

#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "tests/simulation/simulation.h"

namespace baton::sim {
namespace {

constexpr Nanos kAwaitMax = 30 * kSecond;
using Words = std::vector<std::string>;

std::optional<Point> FindPoint(const std::string& name) {
  for (int i = 0; i < kPoints; ++i) {
    if (PointName(static_cast<Point>(i)) == name) return static_cast<Point>(i);
  }
  return std::nullopt;
}

class Teller {
 public:
  // False: not understood.
  bool Line(const Words& words) {
    if (words[0] == "seed" || words[0] == "databases" || words[0] == "storms" ||
        words[0] == "bare" || words[0] == "spares" || words[0] == "mutation") {
      return simulation_ == nullptr && Setting(words);
    }
    if (simulation_ == nullptr) simulation_ = std::make_unique<Simulation>(scenario_);
    if (words[0] == "move" && words.size() == 2) return Move(words[1]);
    if (words[0] == "want" && words.size() == 2) return Want(words[1], false);
    if (words[0] == "instead" && words.size() == 2) return Want(words[1], true);
    if (words[0] == "lose" && words.size() == 4) return Lose(words);
    if (words[0] == "await" && words.size() == 3) return Await(words[1], words[2]);
    if (words[0] == "run") return Run(words);
    if (words[0] == "until" && words.size() == 2 && words[1] == "done") return UntilDone();
    if (words[0] == "until" && words.size() == 3 && words[2] == "answers") return Answers(words[1]);
    if (words[0] == "fault") return MakeFault(words);
    if (absl::StrJoin(words, " ") == "heal, until in sync") {
      simulation_->Heal();
      simulation_->Finish();
      ended_ = true;
      return true;
    }
    return false;
  }
  bool ended() const { return ended_; }
  std::optional<Violation> violation() const {
    return simulation_ == nullptr ? std::nullopt : simulation_->oracle().violation();
  }
  Result Take() { return simulation_->TakeResult(); }
  std::vector<std::string> Story() {
    return simulation_ == nullptr ? std::vector<std::string>() : Take().story;
  }
  Teller() {
    scenario_.told = true;
    scenario_.databases = 1;
  }

 private:
  bool Setting(const Words& words) {
    if (words[0] == "storms") {
      scenario_.storms = true;
      return true;
    }
    if (words[0] == "spares") {
      scenario_.spares = true;
      return true;
    }
    if (words[0] == "bare") {
      scenario_.bare = true;
      scenario_.course = {PlanKind::kProtect};
      return true;
    }
    if (words.size() != 2) return false;
    if (words[0] == "mutation") {
      const std::optional<Mutation> mutation = FindMutation(words[1]);
      scenario_.mutation = mutation.value_or(Mutation::kNone);
      return mutation.has_value();
    }
    if (words[0] == "seed") return absl::SimpleAtoi(words[1], &scenario_.seed);
    return absl::SimpleAtoi(words[1], &scenario_.databases) && scenario_.databases >= 1 &&
           scenario_.databases <= 2;
  }
  bool Move(const std::string& count) {
    int moves = 0;
    if (!absl::SimpleAtoi(count, &moves)) return false;
    simulation_->WantMoves(moves);
    return true;
  }
  bool Want(const std::string& name, bool instead) {
    for (const PlanKind kind :
         {PlanKind::kAdopt, PlanKind::kSwitchover, PlanKind::kFailover, PlanKind::kFailback,
          PlanKind::kProtect, PlanKind::kRemoveQuarantine}) {
      if (ToString(kind) != name) continue;
      instead ? simulation_->WantInstead(kind) : simulation_->WantNext(kind);
      return true;
    }
    return false;
  }
  bool Lose(const Words& words) {
    const std::optional<Loss> how = FindLoss(words[1]);
    int64_t milliseconds = 0;
    if (!how.has_value() || words[3] != "ms" || !absl::SimpleAtoi(words[2], &milliseconds)) {
      return false;
    }
    simulation_->SetLoss(*how, milliseconds * kMilli);
    return true;
  }
  bool Await(const std::string& step, const std::string& point) {
    const std::optional<int> kind = FindStepKind(step);
    const std::optional<Point> at = FindPoint(point);
    if (!kind.has_value() || !at.has_value()) return false;
    simulation_->WaitFor(simulation_->moves(), *kind, *at);
    return simulation_->RunUntil(simulation_->world().queue.now() + kAwaitMax, [this] {
      return simulation_->Reached();
    }) || violation().has_value();
  }
  bool Run(const Words& words) {
    int64_t milliseconds = 0;
    if (words.size() != 3 || words[2] != "ms" || !absl::SimpleAtoi(words[1], &milliseconds)) {
      return false;
    }
    simulation_->RunUntil(simulation_->world().queue.now() + milliseconds * kMilli,
                          [] { return false; });
    return true;
  }
  // A session of the host is open.
  bool Answers(const std::string& name) {
    const HostId host(name);
    if (simulation_->world().HostIndex(host) < 0) return false;
    return simulation_->RunUntil(simulation_->world().queue.now() + kAwaitMax, [this, &host] {
      return simulation_->coordinator().Connected(host);
    }) || violation().has_value();
  }
  bool UntilDone() {
    return simulation_->RunUntil(simulation_->world().queue.now() + kAwaitMax, [this] {
      return simulation_->Done();
    }) || violation().has_value();
  }
  bool MakeFault(const Words& words) {
    if (words.size() < 5 || words[4] != "ms") return false;
    const std::optional<FaultKind> kind = FindFaultKind(words[1]);
    const int host = simulation_->world().HostIndex(HostId(words[2]));
    Fault fault;
    if (!kind.has_value() || host < 0 || !absl::SimpleAtoi(words[3], &fault.lasts)) return false;
    fault.kind = *kind;
    fault.lasts *= kMilli;
    fault.hard = words.size() > 5 && words[5] == "hard";
    simulation_->Fire(fault, host);
    return true;
  }

  Scenario scenario_;
  std::unique_ptr<Simulation> simulation_;
  bool ended_ = false;
};

}  // namespace

absl::Status RunScenarioFile(const std::string& text) {
  Teller teller;
  int number = 0;
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (const std::string& line : lines) {
    ++number;
    const std::string bare(absl::StripAsciiWhitespace(line.substr(0, line.find('#'))));
    if (bare.empty()) continue;
    if (teller.ended()) return absl::InvalidArgumentError("found lines after the end");
    const Words words = absl::StrSplit(bare, ' ', absl::SkipEmpty());
    const bool understood = teller.Line(words);
    if (const auto broken = teller.violation(); broken.has_value()) {
      return absl::InternalError(absl::StrCat(
          "line ", number, " (", bare, ") breaks ", std::string(InfoOf(broken->checker).name), ": ",
          broken->what, "\n", absl::StrJoin(teller.Take().story, "\n")));
    }
    if (!understood) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": not understood, or it never came to it: ", bare, "\n",
                       absl::StrJoin(teller.Story(), "\n")));
    }
  }
  if (!teller.ended()) return absl::InvalidArgumentError("wanted \"heal, until in sync\" last");
  return absl::OkStatus();
}

}  // namespace baton::sim
