// Configuration of a program: a file of `key = value` lines (common/base/key_values.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace baton {

// The keys that a program knows. Each Text/Path/… says where its value goes; `Read` then fills them
// in. Not thread-safe.
class ProgramConfig {
 public:
  // `sample` names the commented sample file, for errors.
  explicit ProgramConfig(std::string sample) : sample_(std::move(sample)) {}

  // `target` must outlive Read. What it holds before is the default; `required` makes a file
  // without the key an error.
  void Text(std::string key, std::string* target, bool required = false);
  // An absolute path.
  void Path(std::string key, std::string* target, bool required = false);
  // Blank-separated words.
  void List(std::string key, std::vector<std::string>* target, bool required = false);
  // A duration with a unit, above zero.
  void Duration(std::string key, absl::Duration* target);
  // true or false.
  void Flag(std::string key, bool* target);

  // NOT_FOUND, PERMISSION_DENIED: the file. INVALID_ARGUMENT: "FILE:LINE: …", found and wanted.
  absl::Status Read(const std::string& file) const;

 private:
  struct Key {
    std::string name;
    bool required;
    std::function<absl::Status(const std::string&)> set;
  };
  std::string sample_;
  std::vector<Key> keys_;
};

}  // namespace baton
