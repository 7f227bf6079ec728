// The archive's part of baton-guard's command line. Each returns the exit status.
#pragma once

#include <string>
#include <vector>

#include "common/protocol/resource_config.h"

namespace baton {

int ArchivePushCommand(const ResourceConfig& config, const std::string& path);

// `words`: archive-fetch RESOURCE NAME PATH. 0 or exactly 1, whatever happens, signals included:
// any other status takes a standby down. Silent when the file is merely not there yet.
int ArchiveFetchCommand(const std::vector<std::string>& words);

// Copies what the fence file's fetch lineages serve, or, with `lineages_from_input`, those of the
// fence record on standard input. Prints "progress DONE TOTAL" lines, then "copied BYTES".
int ArchiveCopyCommand(const ResourceConfig& config, bool lineages_from_input);

int ArchiveCheckCommand(const ResourceConfig& config);

// Prints what ListLogFiles says of the fetch lineages of the fence record on standard input.
int ArchiveListCommand(const ResourceConfig& config, const std::string& from);

// Salvages into the last fetch lineage of the fence record on standard input; prints as
// ArchiveCopyCommand.
int ArchiveSalvageCommand(const ResourceConfig& config, const std::string& data_directory,
                          const std::string& from);

int ArchivePrepareCommand(const ResourceConfig& config);

}  // namespace baton
