#include "common/protocol/fence_state.h"

#include <cstdint>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

#include "common/base/crc32c.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

constexpr std::string_view kFormat = "baton-fence 1";
constexpr size_t kFenceBytesMax = 256 * 1024;
constexpr size_t kChecksumLineBytes = sizeof("checksum = 01234567\n") - 1;

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-' || c == ':' || c == '@';
}

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsPlain(c)) {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// One word of a line: never empty, so that words can be counted.
std::string Word(std::string_view text) {
  if (text.empty()) return "-";
  if (text == "-") return "%2D";
  return Escape(text);
}

absl::StatusOr<std::string> Unword(std::string_view word) {
  std::string out;
  if (word == "-") return out;
  for (size_t i = 0; i < word.size(); ++i) {
    if (IsPlain(word[i])) {
      out += word[i];
      continue;
    }
    uint32_t byte = 0;
    if (word[i] != '%' || i + 2 >= word.size() ||
        !absl::SimpleHexAtoi(ToAbsl(word.substr(i + 1, 2)), &byte)) {
      return absl::DataLossError(absl::StrCat("found \"", ToAbsl(word), "\", wanted a word"));
    }
    out += static_cast<char>(byte);
    i += 2;
  }
  if (out.empty()) return absl::DataLossError("found an empty word");
  return out;
}

std::string FormatLineage(const Lineage& lineage) {
  return absl::StrCat(Word(lineage.system_id), " ", lineage.epoch.ToString(), " ",
                      Word(lineage.instance.value()), " ", Word(lineage.share.value()), " ",
                      lineage.sealed.has_value() ? lineage.sealed->ToString() : "growing");
}

absl::StatusOr<Lineage> ParseLineage(std::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(ToAbsl(text), ' ');
  if (words.size() != 5) {
    return absl::DataLossError(
        absl::StrCat("found lineage \"", ToAbsl(text), "\", wanted five words"));
  }
  Lineage lineage;
  BATON_ASSIGN_OR_RETURN(lineage.system_id, Unword(ToStd(words[0])));
  BATON_ASSIGN_OR_RETURN(lineage.epoch, ParseEpoch(ToStd(words[1])));
  BATON_ASSIGN_OR_RETURN(std::string instance, Unword(ToStd(words[2])));
  lineage.instance = HostId(std::move(instance));
  BATON_ASSIGN_OR_RETURN(std::string share, Unword(ToStd(words[3])));
  lineage.share = ShareId(std::move(share));
  if (words[4] != "growing") {
    BATON_ASSIGN_OR_RETURN(lineage.sealed, ParseLogPosition(ToStd(words[4])));
  }
  return lineage;
}

absl::StatusOr<FencePhase> ParsePhase(std::string_view text) {
  for (const FencePhase phase :
       {FencePhase::kOpen, FencePhase::kUnconfirmed, FencePhase::kClosing, FencePhase::kClosed}) {
    if (text == ToString(phase)) return phase;
  }
  return absl::DataLossError(absl::StrCat("found phase \"", ToAbsl(text), "\""));
}

std::string ChecksumLine(std::string_view body) {
  return absl::StrFormat("checksum = %08x\n", Crc32c(body));
}

absl::Status ParseField(std::string_view key, std::string_view value, FenceRecord* record) {
  if (key == "phase") {
    BATON_ASSIGN_OR_RETURN(record->phase, ParsePhase(value));
  } else if (key == "fence_epoch") {
    BATON_ASSIGN_OR_RETURN(record->fence_epoch, ParseEpoch(value));
  } else if (key == "write") {
    BATON_ASSIGN_OR_RETURN(record->write, ParseLineage(value));
  } else if (key == "fetch") {
    BATON_ASSIGN_OR_RETURN(Lineage lineage, ParseLineage(value));
    record->fetch.push_back(std::move(lineage));
  } else {
    BATON_ASSIGN_OR_RETURN(std::string word, Unword(value));
    if (key == "pool") {
      record->pool = PoolId(std::move(word));
    } else if (key == "resource") {
      record->resource = ResourceId(std::move(word));
    } else if (key == "ledger") {
      record->ledger = LedgerId(std::move(word));
    } else if (key == "confirmed_boot") {
      record->confirmed_boot = BootId(std::move(word));
    } else {
      return absl::DataLossError(absl::StrCat("found unknown key \"", ToAbsl(key), "\""));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<FenceRecord> ParseBody(std::string_view body) {
  FenceRecord record;
  std::set<std::string_view> seen;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(body), '\n')) {
    if (line.empty()) continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(" = ", 1));
    const std::string_view key = ToStd(parts.first);
    const std::string_view value = ToStd(parts.second);
    if (!seen.insert(key).second && key != "fetch") {
      return absl::DataLossError(absl::StrCat("found \"", parts.first, "\" twice"));
    }
    if (key == "format") {
      if (value != kFormat) {
        return absl::DataLossError(
            absl::StrCat("found format \"", parts.second, "\", wanted \"", ToAbsl(kFormat), "\""));
      }
      continue;
    }
    BATON_RETURN_IF_ERROR(ParseField(key, value, &record));
  }
  for (const char* key :
       {"format", "pool", "resource", "phase", "fence_epoch", "ledger", "confirmed_boot"}) {
    if (!seen.contains(key)) return absl::DataLossError(absl::StrCat("found no \"", key, "\""));
  }
  return record;
}

// A path component that stays one, whatever it was made from.
std::string Component(std::string_view text) {
  std::string escaped = Word(text);
  if (escaped.front() == '.') escaped = absl::StrCat("%2E", escaped.substr(1));
  return escaped;
}

GateDecision JudgeDatabase(const GateFacts& facts, FencePhase phase, const std::string& fence) {
  if (facts.recovery_signal) {
    return {GateVerdict::kRefuse,
            "recovery.signal is in the data directory: it would end its recovery by itself and "
            "write; finish or undo the restore first"};
  }
  if (facts.standby_signal) {
    return {GateVerdict::kStandby, absl::StrCat("standby.signal is there; ", fence)};
  }
  if (phase != FencePhase::kOpen) {
    return {GateVerdict::kRefuse,
            absl::StrCat(fence,
                         ", and the data directory has no standby.signal: the server would "
                         "start writable")};
  }
  if (facts.was_in_recovery) {
    return {
        GateVerdict::kRefuse,
        "the data directory was in recovery when it last ran and has no standby.signal: started "
        "writable, it would go on in the timeline of the one that it followed; repeat Recover"};
  }
  if (!facts.fence->write.has_value()) {
    return {GateVerdict::kRefuse,
            "the fence is open but names no lineage to write: its log would have nowhere to go; "
            "adopt the pool"};
  }
  return {GateVerdict::kReadWrite, fence};
}

std::string DescribeFence(const GateFacts& facts, FencePhase phase) {
  if (!facts.fence.has_value()) {
    return "the fence file is missing or not understood, which counts as closed; let the agent "
           "write it anew";
  }
  const std::string epoch = facts.fence->fence_epoch.ToString();
  switch (phase) {
    case FencePhase::kOpen:
      return absl::StrCat("the fence is open under epoch ", epoch);
    case FencePhase::kUnconfirmed:
      return absl::StrCat("the fence of epoch ", epoch,
                          " is not confirmed in this boot; a session with the coordinator "
                          "confirms it");
    case FencePhase::kClosing:
    case FencePhase::kClosed:
      return absl::StrCat("the fence is ", std::string(ToString(phase)), " under epoch ", epoch,
                          ": another instance may have the right to write");
  }
  return "the fence has no known phase";
}

}  // namespace

std::string_view ToString(FencePhase phase) {
  switch (phase) {
    case FencePhase::kOpen:
      return "open";
    case FencePhase::kUnconfirmed:
      return "unconfirmed";
    case FencePhase::kClosing:
      return "closing";
    case FencePhase::kClosed:
      return "closed";
  }
  return "invalid";
}

std::string_view ToString(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::kReadWrite:
      return "read-write";
    case GateVerdict::kStandby:
      return "standby";
    case GateVerdict::kRefuse:
      return "refuse";
  }
  return "invalid";
}

std::string LineageDirectory(const PoolId& pool, const ResourceId& resource,
                             const Lineage& lineage) {
  return absl::StrCat(Component(pool.value()), "/", Component(resource.value()), "/",
                      Component(lineage.system_id), "/", lineage.epoch.ToString(), "-",
                      Escape(lineage.instance.value()));
}

FencePhase EffectivePhase(const FenceRecord& record, const BootId& boot) {
  if (record.phase == FencePhase::kOpen && (boot.empty() || record.confirmed_boot != boot)) {
    return FencePhase::kUnconfirmed;
  }
  return record.phase;
}

std::string FormatFenceRecord(const FenceRecord& record) {
  std::string body = absl::StrCat(
      "format = ", ToAbsl(kFormat), "\npool = ", Word(record.pool.value()),
      "\nresource = ", Word(record.resource.value()), "\nphase = ", ToAbsl(ToString(record.phase)),
      "\nfence_epoch = ", record.fence_epoch.ToString(), "\nledger = ", Word(record.ledger.value()),
      "\nconfirmed_boot = ", Word(record.confirmed_boot.value()), "\n");
  if (record.write.has_value()) {
    absl::StrAppend(&body, "write = ", FormatLineage(*record.write), "\n");
  }
  for (const Lineage& lineage : record.fetch) {
    absl::StrAppend(&body, "fetch = ", FormatLineage(lineage), "\n");
  }
  return absl::StrCat(body, ChecksumLine(body));
}

absl::StatusOr<FenceRecord> ParseFenceRecord(std::string_view text) {
  if (text.size() > kFenceBytesMax || text.size() < kChecksumLineBytes) {
    return absl::DataLossError(absl::StrCat("fence file: found ", text.size(), " bytes, wanted ",
                                            kChecksumLineBytes, " to ", kFenceBytesMax));
  }
  const std::string_view body = text.substr(0, text.size() - kChecksumLineBytes);
  if (text.substr(body.size()) != ChecksumLine(body)) {
    return absl::DataLossError(
        "fence file: its last line is not the checksum of what stands before it: the file was cut "
        "short or altered");
  }
  absl::StatusOr<FenceRecord> record = ParseBody(body);
  if (!record.ok()) {
    return absl::DataLossError(absl::StrCat("fence file: ", record.status().message()));
  }
  return record;
}

GateDecision JudgeGate(const GateFacts& facts) {
  const FencePhase phase =
      facts.fence.has_value() ? EffectivePhase(*facts.fence, facts.boot) : FencePhase::kClosed;
  if (!facts.data_directory_whole) {
    return {GateVerdict::kRefuse,
            "the data directory is missing or half rewound or restored; finish that first"};
  }
  const std::string fence = DescribeFence(facts, phase);
  if (facts.is_database) return JudgeDatabase(facts, phase, fence);
  if (phase == FencePhase::kOpen) return {GateVerdict::kReadWrite, fence};
  return {GateVerdict::kRefuse, fence};
}

}  // namespace baton
