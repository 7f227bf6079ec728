#include "absl/strings/str_cat.h"

#include "agent/database/log_chain.h"
#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton::postgresql {

absl::StatusOr<std::string> WaitedGap(const PostgresqlInstance& instance, const ServerView& view,
                                      ArchivePlace place) {
  const std::optional<StartupTitle> title = ParseStartupTitle(view.startup_title);
  if (!title.has_value() || !title->waiting) return std::string();
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.Fence());
  BATON_ASSIGN_OR_RETURN(
      const ArchivedLog log,
      instance.archive().List(
          record.fetch,
          WalSegmentName(WalSegmentOf(view.position, control.segment_bytes), control.segment_bytes),
          place));
  const LogChain chain = FollowChain(view.position, log, control.segment_bytes);
  // One that it has by other means is not missing.
  if (chain.gap.empty() || chain.gap.substr(8) != title->segment.substr(8)) return std::string();
  return title->segment;
}

}  // namespace baton::postgresql
