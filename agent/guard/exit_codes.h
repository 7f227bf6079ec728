// What baton-guard's exit status means.
#pragma once

namespace baton {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitBadResource = 65;
inline constexpr int kExitAnotherRuns = 69;
inline constexpr int kExitNotFenced = 73;  // the fence file could not be written
inline constexpr int kExitNotProven = 75;  // the fence stands, but something still runs
inline constexpr int kExitRefused = 78;
// archive-push, archive-copy, archive-check: this plus the absl::StatusCode of the error. Stays
// below 126, which would take PostgreSQL's archiver down.
inline constexpr int kExitStatusBase = 100;

}  // namespace baton
