// Why a plan is as it is, in lines for people.
#pragma once

#include <string>

#include "coordinator/model/snapshot.h"
#include "coordinator/model/topology.h"

namespace baton {

// "dr-chat1/prosody serves: at dr, where the database is writable".
std::string ExplainChat(const ChatServer& server, bool serves, const std::string& why);

// "mgc moves from hq-sql1 (hq) to dr-sql1 (dr), which is 0 bytes behind".
std::string ExplainMove(const Snapshot& seen, const Database& database, const Instance& from,
                        const Instance& to);

// "hq-chat1/chat is fenced when it comes back, before anything else".
std::string ExplainFencedOnReturn(const ResourceRef& ref);

// "mgccomp stays: its policy is ignore".
std::string ExplainIgnored(const Database& database);

}  // namespace baton
