// Newer reports over older ones that still wait to be sent.
#pragma once

#include "baton/v1/agent_session.pb.h"

namespace baton {

// An Outbox merge for messages that hold a Report: the newer observation of each resource wins, and
// the result is full if either was.
void MergeReports(v1::AgentMessage& waiting, v1::AgentMessage newer);

}  // namespace baton
