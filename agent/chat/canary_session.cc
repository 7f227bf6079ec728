#include "agent/chat/canary_session.h"

#include <cstring>
#include <memory>
#include <string>
#include <strophe.h>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/chat/turn.h"
#include "agent/chat/xmpp_stream.h"

namespace baton::chat {
namespace {

constexpr char kNsMuc[] = "http://jabber.org/protocol/muc";
constexpr char kNsStanzaId[] = "urn:xmpp:sid:0";
constexpr char kNsArchive[] = "urn:xmpp:mam:2";
constexpr char kNsErrors[] = XMPP_NS_STANZAS_IETF;
constexpr char kQuery[] = "baton-canary-query";
constexpr unsigned long kLoopMilliseconds = 5;
constexpr absl::Duration kGoodbye = absl::Milliseconds(500);

struct ContextDeleter {
  void operator()(xmpp_ctx_t* context) const { xmpp_ctx_free(context); }
};
struct ConnectionDeleter {
  void operator()(xmpp_conn_t* connection) const { xmpp_conn_release(connection); }
};
struct StanzaDeleter {
  void operator()(xmpp_stanza_t* stanza) const { xmpp_stanza_release(stanza); }
};
using Stanza = std::unique_ptr<xmpp_stanza_t, StanzaDeleter>;

std::string_view OrEmpty(const char* text) { return text == nullptr ? "" : text; }
bool Is(const char* text, std::string_view wanted) { return OrEmpty(text) == wanted; }

std::string BareOf(std::string_view jid) { return std::string(jid.substr(0, jid.find('/'))); }

std::string DomainOf(std::string_view jid) { return std::string(jid.substr(jid.find('@') + 1)); }

// "not-authorized" of an error stanza.
std::string ErrorOf(xmpp_stanza_t* stanza) {
  xmpp_stanza_t* const error = xmpp_stanza_get_child_by_name(stanza, "error");
  if (error == nullptr) return "an error without a condition";
  xmpp_stanza_t* const condition = xmpp_stanza_get_child_by_ns(error, kNsErrors);
  return std::string(condition == nullptr ? "an error without a condition"
                                          : OrEmpty(xmpp_stanza_get_name(condition)));
}

// The library's SCRAM works in static memory: two logins at once in one process both fail. So a
// whole errand takes the one turn.
Turn& TheTurn() {
  static auto* const turn = new Turn;
  return *turn;
}

// All handlers run inside xmpp_run_once, on the caller's thread.
class Session {
 public:
  explicit Session(const CanaryErrand& errand) : errand_(errand) {
    static const bool initialized = (xmpp_initialize(), true);
    (void)initialized;
    log_ = {&OnLog, this};
    context_.reset(xmpp_ctx_new(nullptr, &log_));
    connection_.reset(xmpp_conn_new(context_.get()));
    xmpp_conn_set_jid(connection_.get(), errand_.jid.c_str());
    xmpp_conn_set_pass(connection_.get(), errand_.password.c_str());
    xmpp_conn_set_flags(connection_.get(), XMPP_CONN_FLAG_DISABLE_SM);
  }

  CanaryReport Run(const Clock& clock, const std::function<bool()>& cancelled) {
    report_.step = CanaryStep::kLogIn;
    if (xmpp_connect_client(connection_.get(), errand_.address.c_str(), errand_.port, &OnConnection,
                            this) != XMPP_EOK) {
      Fail("the library cannot connect");
      return report_;
    }
    const absl::Duration deadline = clock.SinceBoot() + errand_.timeout;
    while (!over_ && !disconnected_) {
      if (cancelled()) {
        report_.cancelled = true;
        Fail("cancelled");
      } else if (clock.SinceBoot() >= deadline) {
        report_.timed_out = true;
        Fail(absl::StrCat("nothing came within ", absl::FormatDuration(errand_.timeout), "; ",
                          log_text_));
      } else {
        xmpp_run_once(context_.get(), kLoopMilliseconds);
      }
    }
    Leave(clock);
    return report_;
  }

 private:
  void Leave(const Clock& clock) {
    if (disconnected_) return;
    xmpp_disconnect(connection_.get());
    const absl::Duration deadline = clock.SinceBoot() + kGoodbye;
    while (!disconnected_ && clock.SinceBoot() < deadline) {
      xmpp_run_once(context_.get(), kLoopMilliseconds);
    }
  }

  void Fail(std::string detail) {
    if (over_) return;
    over_ = true;
    report_.detail = std::move(detail);
  }

  void Send(const Stanza& stanza) { xmpp_send(connection_.get(), stanza.get()); }
  Stanza New(const char* name) {
    Stanza stanza(xmpp_stanza_new(context_.get()));
    xmpp_stanza_set_name(stanza.get(), name);
    return stanza;
  }
  Stanza Child(xmpp_stanza_t* parent, const char* name) {
    Stanza child = New(name);
    xmpp_stanza_add_child(parent, child.get());
    return child;
  }
  void AddText(xmpp_stanza_t* parent, const std::string& text) {
    Stanza child(xmpp_stanza_new(context_.get()));
    xmpp_stanza_set_text(child.get(), text.c_str());
    xmpp_stanza_add_child(parent, child.get());
  }

  void Join() {
    report_.step = CanaryStep::kJoin;
    occupant_ = absl::StrCat(errand_.room, "/", errand_.message);
    Stanza presence = New("presence");
    xmpp_stanza_set_to(presence.get(), occupant_.c_str());
    Stanza muc = Child(presence.get(), "x");
    xmpp_stanza_set_ns(muc.get(), kNsMuc);
    Stanza history = Child(muc.get(), "history");
    xmpp_stanza_set_attribute(history.get(), "maxstanzas", "0");
    Send(presence);
  }

  void Post() {
    report_.step = CanaryStep::kReflected;
    Stanza message(xmpp_message_new(context_.get(), "groupchat", errand_.room.c_str(),
                                    errand_.message.c_str()));
    xmpp_message_set_body(message.get(), absl::StrCat("Baton canary ", errand_.message).c_str());
    Send(message);
  }

  void AddField(xmpp_stanza_t* form, const char* name, const std::string& text) {
    Stanza field = Child(form, "field");
    xmpp_stanza_set_attribute(field.get(), "var", name);
    Stanza value = Child(field.get(), "value");
    AddText(value.get(), text);
  }

  void AskArchive() {
    report_.step = CanaryStep::kRead;
    Stanza iq(xmpp_iq_new(context_.get(), "set", kQuery));
    xmpp_stanza_set_to(iq.get(), errand_.room.c_str());
    Stanza query = Child(iq.get(), "query");
    xmpp_stanza_set_ns(query.get(), kNsArchive);
    Stanza form = Child(query.get(), "x");
    xmpp_stanza_set_ns(form.get(), "jabber:x:data");
    xmpp_stanza_set_attribute(form.get(), "type", "submit");
    AddField(form.get(), "FORM_TYPE", kNsArchive);
    AddField(form.get(), "ids", report_.stanza_id);
    xmpp_id_handler_add(connection_.get(), &OnArchiveEnd, kQuery, this);
    Send(iq);
  }

  static void OnLog(void* self, xmpp_log_level_t level, const char* area, const char* text) {
    if (level < XMPP_LEVEL_WARN) return;
    static_cast<Session*>(self)->log_text_ = absl::StrCat(area, ": ", text);
  }

  static void OnConnection(xmpp_conn_t* connection, xmpp_conn_event_t event, int error,
                           xmpp_stream_error_t* stream_error, void* self) {
    auto* const session = static_cast<Session*>(self);
    if (event == XMPP_CONN_CONNECT) {
      xmpp_handler_add(connection, &OnPresence, nullptr, "presence", nullptr, self);
      xmpp_handler_add(connection, &OnMessage, nullptr, "message", nullptr, self);
      session->Join();
      return;
    }
    session->disconnected_ = true;
    std::string why = stream_error != nullptr && stream_error->text != nullptr
                          ? absl::StrCat("the server said: ", stream_error->text)
                          : absl::StrCat("the connection ended");
    if (error != 0) absl::StrAppend(&why, ", ", strerror(error));
    if (!session->log_text_.empty()) absl::StrAppend(&why, "; ", session->log_text_);
    session->Fail(std::move(why));
  }

  static int OnPresence(xmpp_conn_t*, xmpp_stanza_t* stanza, void* self) {
    auto* const session = static_cast<Session*>(self);
    const std::string_view from = OrEmpty(xmpp_stanza_get_from(stanza));
    if (session->report_.step != CanaryStep::kJoin || BareOf(from) != session->errand_.room) {
      return 1;
    }
    if (Is(xmpp_stanza_get_type(stanza), "error")) {
      session->Fail(absl::StrCat("the room answered ", ErrorOf(stanza)));
    } else if (from == session->occupant_) {
      session->Post();  // the own presence comes last: by now the room has let us in
    }
    return 1;
  }

  static int OnMessage(xmpp_conn_t*, xmpp_stanza_t* stanza, void* self) {
    auto* const session = static_cast<Session*>(self);
    if (BareOf(OrEmpty(xmpp_stanza_get_from(stanza))) != session->errand_.room) return 1;
    if (session->report_.step == CanaryStep::kRead) {
      session->Archived(stanza);
    } else if (session->report_.step == CanaryStep::kReflected &&
               Is(xmpp_stanza_get_id(stanza), session->errand_.message)) {
      session->Reflected(stanza);
    }
    return 1;
  }

  void Reflected(xmpp_stanza_t* stanza) {
    if (Is(xmpp_stanza_get_type(stanza), "error")) {
      Fail(absl::StrCat("the room answered ", ErrorOf(stanza)));
      return;
    }
    report_.step = CanaryStep::kStored;
    xmpp_stanza_t* const id =
        xmpp_stanza_get_child_by_name_and_ns(stanza, "stanza-id", kNsStanzaId);
    if (id == nullptr || !Is(xmpp_stanza_get_attribute(id, "by"), errand_.room)) {
      Fail(
          "the room passed the message on but gave it no stanza-id: its database refuses writes "
          "or is away");
      return;
    }
    report_.stanza_id = OrEmpty(xmpp_stanza_get_attribute(id, "id"));
    AskArchive();
  }

  void Archived(xmpp_stanza_t* stanza) {
    xmpp_stanza_t* const result =
        xmpp_stanza_get_child_by_name_and_ns(stanza, "result", kNsArchive);
    if (result == nullptr || !Is(xmpp_stanza_get_attribute(result, "id"), report_.stanza_id))
      return;
    xmpp_stanza_t* const forwarded = xmpp_stanza_get_child_by_name(result, "forwarded");
    xmpp_stanza_t* const message =
        forwarded == nullptr ? nullptr : xmpp_stanza_get_child_by_name(forwarded, "message");
    found_ = found_ || (message != nullptr && Is(xmpp_stanza_get_id(message), errand_.message));
  }

  static int OnArchiveEnd(xmpp_conn_t*, xmpp_stanza_t* stanza, void* self) {
    auto* const session = static_cast<Session*>(self);
    if (Is(xmpp_stanza_get_type(stanza), "error")) {
      session->Fail(absl::StrCat("the archive answered ", ErrorOf(stanza)));
    } else if (!session->found_) {
      session->Fail(absl::StrCat("the archive does not have it under stanza-id ",
                                 session->report_.stanza_id));
    } else {
      session->report_.step = CanaryStep::kDone;
      session->over_ = true;
    }
    return 0;
  }

  const CanaryErrand& errand_;
  CanaryReport report_;
  std::string occupant_;
  std::string log_text_;
  bool found_ = false;
  bool over_ = false;
  bool disconnected_ = false;
  xmpp_log_t log_ = {};
  std::unique_ptr<xmpp_ctx_t, ContextDeleter> context_;
  std::unique_ptr<xmpp_conn_t, ConnectionDeleter> connection_;
};

}  // namespace

std::string_view ReasonFor(CanaryStep step) {
  switch (step) {
    case CanaryStep::kConnect:
      return "CANARY_NOT_CONNECTED";
    case CanaryStep::kLogIn:
      return "CANARY_LOGIN_FAILED";
    case CanaryStep::kJoin:
      return "CANARY_NOT_ADMITTED";
    case CanaryStep::kReflected:
      return "CANARY_NOT_REFLECTED";
    case CanaryStep::kStored:
      return "CANARY_NOT_STORED";
    case CanaryStep::kRead:
      return "CANARY_NOT_IN_ARCHIVE";
    case CanaryStep::kDone:
      return "";
  }
  return "CANARY_FAILED";
}

CanaryReport RunCanary(const CanaryErrand& errand, const Clock& clock,
                       const std::function<bool()>& cancelled) {
  // The library does not tell "nobody listens" from "not let in".
  const ClientListener listener{errand.address, errand.port, DomainOf(errand.jid)};
  if (const absl::Status open = OpenStream(listener, errand.timeout, clock); !open.ok()) {
    CanaryReport report;
    report.detail = std::string(open.message());
    report.timed_out = absl::IsDeadlineExceeded(open);
    return report;
  }
  if (!TheTurn().Take(clock, clock.SinceBoot() + errand.timeout, cancelled)) {
    CanaryReport report;
    report.step = CanaryStep::kLogIn;
    report.detail = "another canary of this agent has not ended";
    report.cancelled = cancelled();
    report.timed_out = !report.cancelled;
    return report;
  }
  const CanaryReport report = Session(errand).Run(clock, cancelled);
  TheTurn().GiveBack();
  return report;
}

}  // namespace baton::chat
