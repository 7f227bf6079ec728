#include "agent/guard/control_server.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "common/base/status_macros.h"
#include "common/os/unix_socket.h"

namespace baton {
namespace {

constexpr size_t kClientsMax = 16;
constexpr absl::Duration kSilenceMax = absl::Seconds(5);

}  // namespace

absl::StatusOr<ControlServer> ControlServer::Listen(const std::string& path) {
  BATON_ASSIGN_OR_RETURN(Fd listener, ListenUnix(path));
  return ControlServer(std::move(listener));
}

void ControlServer::AppendTo(std::vector<pollfd>* polled) const {
  polled->push_back({listener_.get(), POLLIN, 0});
  for (const auto& entry : clients_) polled->push_back({entry.second.fd.get(), POLLIN, 0});
}

void ControlServer::Accept(absl::Duration now) {
  while (true) {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) return;
    if (clients_.size() >= kClientsMax && !DropSilent()) continue;
    Client client;
    client.fd = std::move(fd);
    client.since = now;
    clients_.emplace(next_++, std::move(client));
  }
}

bool ControlServer::DropSilent() {
  const auto silent = std::find_if(clients_.begin(), clients_.end(),
                                   [](const auto& entry) { return !entry.second.asked; });
  if (silent == clients_.end()) return false;
  clients_.erase(silent);
  return true;
}

bool ControlServer::Read(ClientId id, Client* client, const RequestFunction& request) {
  char buffer[256];
  const ssize_t n = read(client->fd.get(), buffer, sizeof(buffer));
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0 || client->asked) return false;
  client->text.append(buffer, static_cast<size_t>(n));
  const size_t end = client->text.find('\n');
  if (end == std::string::npos && client->text.size() <= kSupervisorRequestBytesMax) return true;
  const absl::StatusOr<SupervisorVerb> verb = ParseSupervisorVerb(client->text.substr(0, end));
  if (!verb.ok()) {
    SupervisorReply reply;
    reply.error = std::string(verb.status().message());
    Reply(id, reply);
    return true;  // gone already
  }
  client->asked = true;
  // Nobody waits for what it would bring about: the plan may have gone another way since.
  char next = 0;
  if (recv(client->fd.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0) return false;
  request(id, *verb);
  return true;
}

void ControlServer::Handle(const std::vector<pollfd>& polled, absl::Duration now,
                           const RequestFunction& request) {
  for (const pollfd& event : polled) {
    if (event.revents == 0) continue;
    for (auto entry = clients_.begin(); entry != clients_.end(); ++entry) {
      if (entry->second.fd.get() != event.fd) continue;
      const ClientId id = entry->first;
      if (!Read(id, &entry->second, request)) clients_.erase(id);
      break;
    }
  }
  for (auto entry = clients_.begin(); entry != clients_.end();) {
    const bool silent = !entry->second.asked && now - entry->second.since > kSilenceMax;
    entry = silent ? clients_.erase(entry) : std::next(entry);
  }
  Accept(now);
}

void ControlServer::Reply(ClientId client, const SupervisorReply& reply) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  const std::string text = FormatSupervisorReply(reply);
  // Fits an empty socket's buffer; who doesn't take it gets none.
  static_cast<void>(send(found->second.fd.get(), text.data(), text.size(), MSG_NOSIGNAL));
  clients_.erase(found);
}

}  // namespace baton
