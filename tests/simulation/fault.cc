#include "tests/simulation/fault.h"

#include <array>
#include <iterator>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace baton::sim {
namespace {

constexpr std::array<std::string_view, kFaultKinds> kNames = {
    "coordinator-crash", "coordinator-pause",
    "agent-crash",       "agent-pause",
    "supervisor-crash",  "supervisor-pause",
    "server-crash",      "server-pause",
    "host-crash",        "host-pause",
    "site-crash",        "agent-cut",
    "agent-cut-one-way", "sites-cut",
    "stream-breaks",     "ledger-lost",
    "ledger-full",       "share-unmounted",
    "share-full",        "share-slow",
    "clock-jump",        "second-plan",
    "early-resume",      "fence-by-hand",
    "fence-damaged",     "junk",
    "operator-pauses",   "operator-retries",
    "operator-skips",    "operator-aborts",
    "log-lost",          "log-damaged",
    "disk-full",         "site-pause",
    "share-stale"};

constexpr std::array<std::string_view, kStepKinds> kSteps = {"CheckDatabase",
                                                             "EndConnections",
                                                             "Fence",
                                                             "Unfence",
                                                             "StartStandby",
                                                             "ShipTail",
                                                             "CopyPendingLogs",
                                                             "ApplyPendingLogs",
                                                             "Recover",
                                                             "CheckChat",
                                                             "Drain",
                                                             "Deactivate",
                                                             "Activate",
                                                             "PointAt",
                                                             "Canary",
                                                             "Stop",
                                                             "StopLogShipping",
                                                             "SalvageLogs",
                                                             "ConfigureLogShipping",
                                                             "Seed",
                                                             "Quarantine",
                                                             "RemoveQuarantine",
                                                             "RaiseEpoch"};

constexpr std::array<std::string_view, kPoints> kPointNames = {"recorded", "sent", "accepted",
                                                               "acted", "finished"};

}  // namespace

std::string_view ToString(FaultKind kind) { return kNames[static_cast<int>(kind)]; }

std::optional<FaultKind> FindFaultKind(std::string_view name) {
  for (int i = 0; i < kFaultKinds; ++i) {
    if (kNames[i] == name) return static_cast<FaultKind>(i);
  }
  return std::nullopt;
}

std::string_view StepKindName(int kind) { return kSteps[kind]; }

std::string_view PointName(Point point) { return kPointNames[static_cast<int>(point)]; }

std::optional<int> FindStepKind(std::string_view name) {
  for (int i = 0; i < kStepKinds; ++i) {
    if (kSteps[i] == name) return i;
  }
  return std::nullopt;
}

namespace {

// By the index of an action in the variant (common/protocol/action.h): the step kind of its name.
template <size_t... I>
std::array<int, sizeof...(I)> KindsByIndex(std::index_sequence<I...>) {
  return {FindStepKind(ActionName(Action(std::in_place_index<I>))).value_or(-1)...};
}

}  // namespace

int StepKindOf(const Step& step) {
  if (step.raises_epoch()) return kStepKinds - 1;
  static const auto kByIndex =
      KindsByIndex(std::make_index_sequence<std::variant_size_v<Action>>());
  return kByIndex[step.action()->index()];
}

std::string Describe(const Fault& fault) {
  std::string text(ToString(fault.kind));
  if (fault.host >= 0) absl::StrAppend(&text, " host ", fault.host);
  if (fault.step >= 0) {
    absl::StrAppend(&text, ", when ", std::string(kSteps[fault.step]), " of move ", fault.move,
                    " is ", std::string(PointName(fault.point)));
  } else {
    absl::StrAppend(&text, ", at ", fault.at / kMilli, " ms");
  }
  if (fault.delay > 0) absl::StrAppend(&text, " and ", fault.delay / kMicro, " us later");
  if (fault.lasts > 0) absl::StrAppend(&text, ", for ", fault.lasts / kMilli, " ms");
  if (fault.hard) absl::StrAppend(&text, ", hard");
  return text;
}

std::vector<Fault> MakeFaults(Rng& rng) {
  std::vector<Fault> faults;
  const int count = static_cast<int>(rng.Below(6));
  for (int i = 0; i < count; ++i) {
    Fault fault;
    fault.kind = static_cast<FaultKind>(rng.Below(kFirstKinds));
    fault.move = static_cast<int>(rng.Below(3));
    fault.step = static_cast<int>(rng.Below(kStepKinds));
    fault.point = static_cast<Point>(rng.Below(kPoints));
    if (rng.Chance(15)) {
      fault.step = -1;
      fault.at = rng.Between(0, 6000) * kMilli;
    }
    if (fault.step >= 0 && rng.Chance(50)) fault.delay = rng.Between(0, 30000) * kMicro;
    fault.host = rng.Chance(fault.step >= 0 ? 60 : 0) ? -1 : static_cast<int>(rng.Below(4));
    fault.lasts = rng.Between(50, rng.Chance(20) ? 8000 : 1500) * kMilli;
    fault.hard = rng.Chance(50);
    faults.push_back(fault);
  }
  return faults;
}

std::vector<Fault> MakeLogFaults(Rng& rng) {
  Fault fault;
  fault.kind = rng.Chance(60) ? FaultKind::kLogLost : FaultKind::kLogDamaged;
  fault.move = static_cast<int>(rng.Below(3));
  fault.lasts = rng.Between(1, 20) * kSecond;
  if (rng.Chance(60)) {
    fault.step = -1;
    fault.at = rng.Between(0, 8000) * kMilli;
  } else {
    constexpr std::string_view kWhen[] = {"CheckDatabase", "Fence", "StartStandby", "Recover"};
    fault.step = *FindStepKind(kWhen[rng.Below(std::size(kWhen))]);
    fault.point = static_cast<Point>(rng.Below(kPoints));
  }
  return {fault};
}

std::vector<Fault> MakeDiskFaults(Rng& rng) {
  Fault fault;
  fault.kind = FaultKind::kDiskFull;
  fault.move = static_cast<int>(rng.Between(1, 3));
  fault.step = *FindStepKind(rng.Chance(70) ? "Quarantine" : "Stop");
  fault.point = static_cast<Point>(rng.Below(kPoints));
  fault.delay = rng.Between(0, 60) * kMilli;
  fault.lasts = rng.Between(1, 30) * kSecond;
  return {fault};
}

std::vector<Fault> MakeSiteFaults(Rng& rng) {
  constexpr std::string_view kPausedAt[] = {"Fence",   "ShipTail",   "ApplyPendingLogs",
                                            "Recover", "Deactivate", "Activate"};
  constexpr std::string_view kStaleAt[] = {"CheckDatabase", "ShipTail", "StopLogShipping",
                                           "CopyPendingLogs", "StartStandby"};
  Fault fault;
  const bool pause = rng.Chance(50);
  fault.kind = pause ? FaultKind::kSitePause : FaultKind::kShareStale;
  fault.move = static_cast<int>(rng.Below(3));
  fault.host = static_cast<int>(rng.Below(2));
  fault.lasts = rng.Between(100, rng.Chance(30) ? 10000 : 2500) * kMilli;
  if (rng.Chance(40)) {
    fault.at = rng.Between(0, 8000) * kMilli;
  } else {
    const std::string_view step = pause ? kPausedAt[rng.Below(std::size(kPausedAt))]
                                        : kStaleAt[rng.Below(std::size(kStaleAt))];
    fault.step = *FindStepKind(step);
    fault.point = static_cast<Point>(rng.Below(kPoints));
    fault.delay = rng.Between(0, 20000) * kMicro;
  }
  return {fault};
}

std::vector<Fault> MakeChatFaults(Rng& rng) {
  constexpr FaultKind kKinds[] = {FaultKind::kHostCrash, FaultKind::kHostCrash,
                                  FaultKind::kAgentCrash, FaultKind::kAgentCut,
                                  FaultKind::kServerCrash};
  constexpr std::string_view kWhen[] = {"CheckChat", "PointAt", "Drain", "Recover", "Activate"};
  std::vector<Fault> faults;
  const int count = static_cast<int>(rng.Below(3));
  for (int i = 0; i < count; ++i) {
    Fault fault;
    fault.kind = kKinds[rng.Below(std::size(kKinds))];
    fault.move = static_cast<int>(rng.Below(3));
    fault.host = static_cast<int>(rng.Between(2, 5));
    fault.lasts = rng.Between(1, 30) * kSecond;
    if (rng.Chance(40)) {
      fault.at = rng.Between(0, 8000) * kMilli;
    } else {
      fault.step = *FindStepKind(kWhen[rng.Below(std::size(kWhen))]);
      fault.point = static_cast<Point>(rng.Below(kPoints));
      fault.delay = rng.Between(0, 20) * kMilli;
      if (rng.Chance(30)) fault.host = -1;
    }
    faults.push_back(fault);
  }
  return faults;
}

}  // namespace baton::sim
