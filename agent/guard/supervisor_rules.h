// What a supervisor must and may do about its server: pure.
#pragma once

#include <optional>

#include "common/protocol/fence_state.h"

namespace baton {

// Has the right to write been given since the server started? Also when the giving itself was not
// seen: the lineage to write is another one then.
bool WasOpenedSince(const std::optional<FenceRecord>& fence, const std::optional<Epoch>& at_start);

// Must a running server be stopped? Only one that could have written, and only under closing,
// closed or no readable fence: an unconfirmed fence stops nothing that runs.
bool MustStop(const std::optional<FenceRecord>& fence, bool could_write);

// May a server that should be up be started without being asked? The gate still judges it then.
// Under closed only what has something to follow.
bool MayStartUnasked(const std::optional<FenceRecord>& fence);

}  // namespace baton
