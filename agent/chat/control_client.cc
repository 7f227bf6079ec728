#include "agent/chat/control_client.h"

#include <algorithm>
#include <curl/curl.h>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "agent/chat/prosody_config.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::chat {
namespace {

constexpr size_t kAnswerBytesMax = 16 * 1024;

using Fields = std::map<std::string, std::string, std::less<>>;

absl::Status Text(const Fields& fields, std::string_view key, std::string* value) {
  const auto found = fields.find(key);
  if (found == fields.end()) {
    return absl::DataLossError(
        absl::StrCat("the chat server's status has no \"", ToAbsl(key), "\""));
  }
  *value = found->second;
  return absl::OkStatus();
}

absl::Status NotUnderstood(std::string_view key, const std::string& found) {
  return absl::DataLossError(
      absl::StrCat("the chat server's status says ", ToAbsl(key), "=\"", found, "\""));
}

absl::Status Count(const Fields& fields, std::string_view key, uint64_t* value) {
  std::string text;
  BATON_RETURN_IF_ERROR(Text(fields, key, &text));
  return absl::SimpleAtoi(text, value) ? absl::OkStatus() : NotUnderstood(key, text);
}

absl::Status YesOrNo(const Fields& fields, std::string_view key, bool* value) {
  std::string text;
  BATON_RETURN_IF_ERROR(Text(fields, key, &text));
  *value = text == "yes";
  return *value || text == "no" ? absl::OkStatus() : NotUnderstood(key, text);
}

size_t Collect(char* bytes, size_t size, size_t count, void* answer) {
  auto* const text = static_cast<std::string*>(answer);
  const size_t length = size * count;
  if (text->size() + length > kAnswerBytesMax) return 0;  // libcurl then fails the transfer
  text->append(bytes, length);
  return length;
}

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;
using HeaderList = std::unique_ptr<curl_slist, CurlDeleter>;

absl::Status ErrorOf(CURLcode code, const std::string& url, absl::Duration timeout) {
  const std::string what = absl::StrCat(url, ": ", curl_easy_strerror(code));
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      return absl::UnavailableError(what);
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(
          absl::StrCat(url, ": no answer within ", absl::FormatDuration(timeout)));
    case CURLE_WRITE_ERROR:
      return absl::DataLossError(absl::StrCat(url, ": the answer is too long"));
    default:
      // Cut off in between: by a server that stops, for one.
      return absl::UnavailableError(what);
  }
}

// Plain HTTP on loopback needs neither TLS nor a resolver: nothing global is loaded for it.
Curl NewCurl() {
  static const bool ready = curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK;
  return Curl(ready ? curl_easy_init() : nullptr);
}

}  // namespace

absl::StatusOr<ChatStatus> ParseChatStatus(std::string_view text) {
  Fields fields;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n', absl::SkipEmpty())) {
    fields.insert(
        std::pair<std::string, std::string>(absl::StrSplit(line, absl::MaxSplits('=', 1))));
  }
  ChatStatus status;
  BATON_RETURN_IF_ERROR(YesOrNo(fields, "accepting", &status.accepting));
  BATON_RETURN_IF_ERROR(Count(fields, "users", &status.users));
  BATON_RETURN_IF_ERROR(Count(fields, "sessions", &status.sessions));
  BATON_RETURN_IF_ERROR(Count(fields, "authenticated", &status.authenticated));
  BATON_RETURN_IF_ERROR(Count(fields, "rooms", &status.rooms));
  BATON_RETURN_IF_ERROR(Count(fields, "occupants", &status.occupants));
  BATON_RETURN_IF_ERROR(Text(fields, "instance", &status.instance));
  BATON_RETURN_IF_ERROR(Text(fields, "database_host", &status.database_host));
  BATON_RETURN_IF_ERROR(Text(fields, "database_port", &status.database_port));
  BATON_RETURN_IF_ERROR(YesOrNo(fields, "database_connected", &status.database_connected));
  return status;
}

ControlClient::ControlClient(uint16_t port, std::string token_file)
    : port_(port), token_file_(std::move(token_file)) {}

absl::StatusOr<ChatStatus> ControlClient::Status(absl::Duration timeout) const {
  return Call(false, "/status", timeout);
}
absl::StatusOr<ChatStatus> ControlClient::Drain(absl::Duration timeout) const {
  return Call(true, "/drain", timeout);
}
absl::StatusOr<ChatStatus> ControlClient::Accept(absl::Duration timeout) const {
  return Call(true, "/accept", timeout);
}

absl::StatusOr<ChatStatus> ControlClient::Call(bool post, std::string_view path,
                                               absl::Duration timeout) const {
  BATON_ASSIGN_OR_RETURN(const std::string token, ReadSecret(token_file_));
  const Curl curl = NewCurl();
  if (curl == nullptr) return absl::ResourceExhaustedError("libcurl cannot be set up");
  const std::string url = absl::StrCat("http://127.0.0.1:", port_, ToAbsl(path));
  const HeaderList headers(
      curl_slist_append(nullptr, absl::StrCat("Authorization: Bearer ", token).c_str()));
  std::string answer;
  // libcurl takes 0 for "no limit".
  const int64_t milliseconds = std::max<int64_t>(1, absl::ToInt64Milliseconds(timeout));
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  if (post) curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, "");
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return ErrorOf(code, url, timeout);
  long http = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &http);
  if (http == 401) {
    return absl::PermissionDeniedError(
        absl::StrCat(url, ": the server's secret is not the one in ", token_file_));
  }
  if (http != 200) return absl::DataLossError(absl::StrCat(url, ": HTTP ", http, ": ", answer));
  absl::StatusOr<ChatStatus> status = ParseChatStatus(answer);
  if (!status.ok()) {
    return absl::DataLossError(absl::StrCat(url, ": ", status.status().message()));
  }
  return status;
}

}  // namespace baton::chat
