#include "agent/service/service_manager.h"

#include "absl/strings/str_cat.h"

#include "agent/service/direct_service_manager.h"

namespace baton {

absl::StatusOr<std::unique_ptr<ServiceManager>> MakeServiceManager(
    const ResourceConfig& config, const std::string& config_file,
    const std::string& guard_program) {
  if (config.manager == ServiceManagerKind::kDirect) {
    return std::make_unique<DirectServiceManager>(config, config_file, guard_program);
  }
  return absl::FailedPreconditionError(absl::StrCat(
      config_file, ": found manager = systemd, wanted manager = direct, the one that version ",
      "0.1 knows"));
}

}  // namespace baton
