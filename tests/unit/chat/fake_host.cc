#include "tests/unit/chat/fake_host.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/support/free_port.h"

namespace baton::test {
namespace {

std::string PortText() { return absl::StrCat(FreePort()); }

}  // namespace

FakeHost::FakeHost() {
  char pattern[] = "/tmp/batonfakeXXXXXX";
  folder = mkdtemp(pattern);
  Write("token", "0123456789abcdef\n");
  Write("database-password", "secret\n");
  Write("canary-password", "secret\n");
  config.resource = ResourceId("prosody");
  config.pool = PoolId("chat.example");
  config.host = HostId("chat1");
  config.kind = ResourceKind::kChat;
  config.command = {"/bin/true"};
  config.engine = {{"address", "127.0.0.1"},
                   {"c2s_port", PortText()},
                   {"domain", "chat.example"},
                   {"muc_domain", "rooms.chat.example"},
                   {"control_port", PortText()},
                   {"token_file", folder + "/token"},
                   {"database_file", folder + "/database.lua"},
                   {"database_user", "chat"},
                   {"database_password_file", folder + "/database-password"},
                   {"instance.sql1", "127.0.0.1:5432/chat"},
                   {"instance.sql2", "127.0.0.2:5432/chat"},
                   {"canary_jid", "canary@chat.example"},
                   {"canary_password_file", folder + "/canary-password"},
                   {"canary_room", "canary@rooms.chat.example"}};
}

FakeHost::~FakeHost() { std::filesystem::remove_all(folder); }

chat::ProsodyServer FakeHost::Server() {
  absl::StatusOr<chat::ProsodyServer> server = chat::ProsodyServer::Create(host());
  if (!server.ok()) {
    ADD_FAILURE() << server.status();
    std::abort();
  }
  return *std::move(server);
}

void FakeHost::Write(const std::string& file, const std::string& text) const {
  std::ofstream(folder + "/" + file) << text;
}

}  // namespace baton::test
