#include "tests/integration/chat/chat_client.h"

#include <string_view>
#include <strophe.h>
#include <utility>

namespace baton::test {

struct ChatClientHandlers {
  static void OnConnection(xmpp_conn_t* connection, xmpp_conn_event_t event, int,
                           xmpp_stream_error_t* error, void* self) {
    auto* const client = static_cast<ChatClient*>(self);
    if (event == XMPP_CONN_CONNECT) {
      xmpp_handler_add(connection, &OnPresence, nullptr, "presence", nullptr, self);
      xmpp_send_raw_string(
          connection, "<presence to='%s/%p'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
          client->room_.c_str(), self);
      return;
    }
    MutexLock lock(&client->mutex_);
    client->gone_ = true;
    client->told_ = error != nullptr && error->type == XMPP_SE_SYSTEM_SHUTDOWN;
    client->changed_.SignalAll();
  }

  static int OnPresence(xmpp_conn_t*, xmpp_stanza_t* stanza, void* self) {
    auto* const client = static_cast<ChatClient*>(self);
    const char* const type = xmpp_stanza_get_type(stanza);
    const char* const from = xmpp_stanza_get_from(stanza);
    if (type == nullptr && from != nullptr && std::string_view(from).starts_with(client->room_)) {
      MutexLock lock(&client->mutex_);
      client->in_room_ = true;
      client->changed_.SignalAll();
    }
    return 1;
  }
};

ChatClient::ChatClient(std::string address, uint16_t port, std::string jid, std::string password,
                       std::string room)
    : address_(std::move(address)),
      port_(port),
      jid_(std::move(jid)),
      password_(std::move(password)),
      room_(std::move(room)),
      thread_([this] { Run(); }) {}

ChatClient::~ChatClient() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
  }
  thread_.join();
}

void ChatClient::Run() {
  static const bool initialized = (xmpp_initialize(), true);
  (void)initialized;
  xmpp_ctx_t* const context = xmpp_ctx_new(nullptr, nullptr);
  xmpp_conn_t* const connection = xmpp_conn_new(context);
  xmpp_conn_set_jid(connection, jid_.c_str());
  xmpp_conn_set_pass(connection, password_.c_str());
  xmpp_conn_set_flags(connection, XMPP_CONN_FLAG_DISABLE_SM);
  xmpp_connect_client(connection, address_.c_str(), port_, &ChatClientHandlers::OnConnection, this);
  while (true) {
    xmpp_run_once(context, 5);
    MutexLock lock(&mutex_);
    if (gone_ || ending_) break;
  }
  xmpp_conn_release(connection);
  xmpp_ctx_free(context);
}

bool ChatClient::WaitUntilInRoom(absl::Duration timeout) {
  MutexLock lock(&mutex_);
  while (!in_room_ && !gone_) {
    if (!changed_.WaitFor(&mutex_, timeout)) break;
  }
  return in_room_;
}

bool ChatClient::WaitUntilGone(absl::Duration timeout) {
  MutexLock lock(&mutex_);
  while (!gone_) {
    if (!changed_.WaitFor(&mutex_, timeout)) break;
  }
  return gone_;
}

bool ChatClient::was_in_room() {
  MutexLock lock(&mutex_);
  return in_room_;
}

bool ChatClient::was_told() {
  MutexLock lock(&mutex_);
  return told_;
}

}  // namespace baton::test
