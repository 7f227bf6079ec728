#include "agent/guard/supervisor_rules.h"

namespace baton {

bool WasOpenedSince(const std::optional<FenceRecord>& fence, const std::optional<Epoch>& at_start) {
  if (!fence.has_value()) return false;
  if (fence->phase == FencePhase::kOpen) return true;
  return fence->write.has_value() && fence->write->epoch != at_start;
}

bool MustStop(const std::optional<FenceRecord>& fence, bool could_write) {
  if (!could_write) return false;
  return !fence.has_value() || fence->phase == FencePhase::kClosing ||
         fence->phase == FencePhase::kClosed;
}

bool MayStartUnasked(const std::optional<FenceRecord>& fence) {
  if (!fence.has_value()) return false;
  switch (fence->phase) {
    case FencePhase::kOpen:
    case FencePhase::kUnconfirmed:
      return true;
    case FencePhase::kClosing:
      return false;
    case FencePhase::kClosed:
      return !fence->fetch.empty();
  }
  return false;
}

}  // namespace baton
