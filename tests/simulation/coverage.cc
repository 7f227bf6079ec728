#include "tests/simulation/coverage.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace baton::sim {
namespace {

struct Unreachable {
  int step;   // -1: every one
  int fault;  // -1: every one
  int point;  // -1: every one
  std::string_view why;
};

constexpr int kRaiseEpoch = kStepKinds - 1;

constexpr std::array kUnreachable = {
    Unreachable{kRaiseEpoch, -1, static_cast<int>(Point::kSent),
                "the coordinator raises the epoch itself: nothing is sent"},
    Unreachable{kRaiseEpoch, -1, static_cast<int>(Point::kAccepted),
                "the coordinator raises the epoch itself: no agent accepts"},
    Unreachable{kRaiseEpoch, -1, static_cast<int>(Point::kActed),
                "the coordinator raises the epoch itself: no agent acts"},
    Unreachable{kRaiseEpoch, -1, static_cast<int>(Point::kFinished),
                "the coordinator raises the epoch itself: no agent finishes"},
};

std::string CellName(int step, FaultKind fault, Point point) {
  return absl::StrCat(std::string(StepKindName(step)), " x ", std::string(ToString(fault)), " x ",
                      std::string(PointName(point)));
}

}  // namespace

std::string_view WhyUnreachable(int step, FaultKind fault, Point point) {
  for (const Unreachable& row : kUnreachable) {
    const bool matches = (row.step < 0 || row.step == step) &&
                         (row.fault < 0 || row.fault == static_cast<int>(fault)) &&
                         (row.point < 0 || row.point == static_cast<int>(point));
    if (matches) return row.why;
  }
  return "";
}

std::vector<std::string> Holes(const Coverage& covered) {
  std::vector<std::string> holes;
  for (int step = 0; step < kStepKinds; ++step) {
    for (int fault = 0; fault < kFaultKinds; ++fault) {
      for (int point = 0; point < kPoints; ++point) {
        const auto kind = static_cast<FaultKind>(fault);
        const auto at = static_cast<Point>(point);
        if (covered.test(CellOf(step, kind, at)) || !WhyUnreachable(step, kind, at).empty()) {
          continue;
        }
        holes.push_back(CellName(step, kind, at));
      }
    }
  }
  return holes;
}

std::string CoverageReport(const Coverage& covered) {
  std::string text = "step x fault: r recorded, s sent, a accepted, d acted, f finished\n";
  constexpr char kLetters[] = "rsadf";
  for (int step = 0; step < kStepKinds; ++step) {
    for (int fault = 0; fault < kFaultKinds; ++fault) {
      std::string reached;
      for (int point = 0; point < kPoints; ++point) {
        const auto kind = static_cast<FaultKind>(fault);
        const auto at = static_cast<Point>(point);
        const bool hit = covered.test(CellOf(step, kind, at));
        reached += hit ? kLetters[point] : WhyUnreachable(step, kind, at).empty() ? '?' : '-';
      }
      absl::StrAppend(&text, reached, "  ", std::string(StepKindName(step)), " x ",
                      std::string(ToString(static_cast<FaultKind>(fault))), "\n");
    }
  }
  for (const Unreachable& row : kUnreachable) {
    absl::StrAppend(&text, "-  ", row.step < 0 ? "every step" : std::string(StepKindName(row.step)),
                    row.point < 0 ? "" : ", ",
                    row.point < 0 ? "" : std::string(PointName(static_cast<Point>(row.point))),
                    ": ", std::string(row.why), "\n");
  }
  absl::StrAppend(&text, covered.count(), " of ", kCells, " cells reached, ", Holes(covered).size(),
                  " holes without a reason\n");
  return text;
}

}  // namespace baton::sim
