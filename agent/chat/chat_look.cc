// Is what a command asked for so? Looked at again after a crash, when nobody knows how far it came.
#include <variant>

#include "absl/strings/str_cat.h"

#include "agent/chat/database_file.h"
#include "agent/chat/prosody_actions.h"
#include "common/base/status_macros.h"

namespace baton::chat {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(2);

struct Looker {
  ActionContext* context;

  absl::Status operator()(const CheckChat& action) const { return Act(context, action).status(); }
  absl::Status operator()(const Drain&) const { return LooksDrained(*context); }
  absl::Status operator()(const Stop&) const { return LooksStopped(); }
  absl::Status operator()(const Start&) const { return LooksServing(*context, kLookTimeout); }

  absl::Status operator()(const Deactivate&) const {
    BATON_ASSIGN_OR_RETURN(const FenceRecord record, context->server().fences().Read());
    if (record.phase != FencePhase::kClosed || record.fence_epoch < context->command().epoch) {
      return FenceDiffers(record, "closed");
    }
    return LooksStopped();
  }

  absl::Status operator()(const Activate&) const {
    BATON_ASSIGN_OR_RETURN(const FenceRecord record, context->server().fences().Read());
    BATON_ASSIGN_OR_RETURN(const FenceRecord wanted, OpenFence(*context));
    if (record != wanted) return FenceDiffers(record, "open");
    return LooksServing(*context, kLookTimeout);
  }

  absl::Status operator()(const PointAt& action) const {
    BATON_ASSIGN_OR_RETURN(const HostId instance, ReadInstance(context->config()));
    if (instance == action.instance) return absl::OkStatus();
    return Failure("POINTS_ELSEWHERE",
                   absl::StrCat(context->config().database_file, " names ", instance.value(),
                                ", not ", action.instance.value()));
  }

  absl::Status operator()(const Canary&) const {
    return Failure("CANNOT_BE_SEEN", "whether a canary passed cannot be seen later; send another");
  }

  template <class Other>
  absl::Status operator()(const Other&) const {
    return Refusal("UNSUPPORTED_ACTION", "a chat server has no such action");
  }

 private:
  absl::Status LooksStopped() const {
    BATON_RETURN_IF_ERROR(context->server().IsDown(kLookTimeout));
    return context->server().fences().ProveNothingRuns(kLookTimeout);
  }

  absl::Status FenceDiffers(const FenceRecord& record, const char* wanted) const {
    return Failure("FENCE_DIFFERS",
                   absl::StrCat("the fence file of ", context->name(), " says ",
                                std::string(ToString(record.phase)), " under epoch ",
                                record.fence_epoch.ToString(), ", wanted ", wanted, " under ",
                                context->command().epoch.ToString()));
  }
};

}  // namespace

absl::Status LookFor(ActionContext* context) {
  return std::visit(Looker{context}, context->command().action);
}

}  // namespace baton::chat
