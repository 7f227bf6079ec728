#include "tests/unit/chat/fake_host.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace baton::test {
namespace {

std::string FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return absl::StrCat(ntohs(address.sin_port));
}

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
                   {"c2s_port", FreePort()},
                   {"domain", "chat.example"},
                   {"muc_domain", "rooms.chat.example"},
                   {"control_port", FreePort()},
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
