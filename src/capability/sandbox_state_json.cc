// SandboxState as JSON text and back.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "capability/sandbox_state.h"
#include "policy/strict_json.h"

namespace nono::capability {
namespace {

using nlohmann::ordered_json;
using policy::JsonValue;

constexpr std::array<std::string_view, 3> kScopes = {"file", "dir_children", "dir_subtree"};

tl::unexpected<Error> invalid(std::string_view why) {
  return fail(ErrorKind::kInvalidJson, cat("Invalid JSON: ", why));
}

}  // namespace

// Takes the document apart. Keys that it does not know are ignored: a newer version may have
// written them.
class StateReader {
 public:
  static Result<SandboxState> read(const JsonValue& document) {
    if (document.as<JsonValue::Object>() == nullptr) {
      return invalid(cat("expected an object, found ", document.kind()));
    }
    SandboxState state;
    for (const JsonValue& item : *NONO_TRY(member<JsonValue::Array>(document, "fs", "an array"))) {
      state.fs_.push_back(NONO_TRY(fs_entry(item)));
    }
    const auto* sockets = NONO_TRY(optional_member<JsonValue::Array>(document, "unix_sockets", "an array"));
    if (sockets != nullptr) {
      for (const JsonValue& item : *sockets) state.unix_sockets_.push_back(NONO_TRY(socket_entry(item)));
    }
    state.net_blocked_ = *NONO_TRY(member<bool>(document, "net_blocked", "a boolean"));
    state.resource_limits_ = NONO_TRY(resource_limits(document));
    return state;
  }

 private:
  static Result<SandboxState::FsEntry> fs_entry(const JsonValue& item) {
    SandboxState::FsEntry entry;
    entry.original = *NONO_TRY(member<std::string>(item, "original", "a string"));
    entry.resolved = *NONO_TRY(member<std::string>(item, "resolved", "a string"));
    entry.access = *NONO_TRY(member<std::string>(item, "access", "a string"));
    entry.is_file = *NONO_TRY(member<bool>(item, "is_file", "a boolean"));
    return entry;
  }

  static Result<SandboxState::SocketEntry> socket_entry(const JsonValue& item) {
    SandboxState::SocketEntry entry;
    entry.original = *NONO_TRY(member<std::string>(item, "original", "a string"));
    entry.resolved = *NONO_TRY(member<std::string>(item, "resolved", "a string"));
    entry.mode = *NONO_TRY(member<std::string>(item, "mode", "a string"));
    if (const auto* scope = NONO_TRY(optional_member<std::string>(item, "scope", "a string"))) {
      if (std::find(kScopes.begin(), kScopes.end(), *scope) == kScopes.end()) {
        return invalid(cat("unknown variant `", escape(*scope), "` of `scope`, expected one of `",
                           join(kScopes, "`, `"), "`"));
      }
      entry.scope = *scope;
    }
    if (const auto* flag = NONO_TRY(optional_member<bool>(item, "is_directory", "a boolean"))) {
      entry.is_directory = *flag;
    }
    return entry;
  }

  static Result<std::optional<ResourceLimits>> resource_limits(const JsonValue& document) {
    const JsonValue* value = document.find("resource_limits");
    if (value == nullptr || value->is_null()) return std::optional<ResourceLimits>();
    constexpr std::string_view kNumber = "an unsigned integer";
    ResourceLimits limits;
    if (const auto* bytes = NONO_TRY(optional_member<std::uint64_t>(*value, "memory_bytes", kNumber))) {
      limits.memory_bytes = *bytes;
    }
    if (const auto* count = NONO_TRY(optional_member<std::uint64_t>(*value, "max_processes", kNumber))) {
      limits.max_processes = *count;
    }
    return std::optional(limits);
  }

  // The member of type T; never null.
  template <class T>
  static Result<const T*> member(const JsonValue& object, std::string_view key, std::string_view wanted) {
    if (object.as<JsonValue::Object>() == nullptr) {
      return invalid(cat("expected an object with `", key, "`, found ", object.kind()));
    }
    const JsonValue* value = object.find(key);
    if (value == nullptr) return invalid(cat("missing field `", key, "`"));
    const T* typed = value->as<T>();
    if (typed == nullptr) return invalid(cat("`", key, "` must be ", wanted, ", found ", value->kind()));
    return typed;
  }

  // The same, or null when it is absent or null in the text.
  template <class T>
  static Result<const T*> optional_member(const JsonValue& object, std::string_view key,
                                          std::string_view wanted) {
    const JsonValue* value = object.find(key);
    const bool absent = value == nullptr || value->is_null();
    if (absent && object.as<JsonValue::Object>() != nullptr) return static_cast<const T*>(nullptr);
    return member<T>(object, key, wanted);
  }
};

Result<SandboxState> SandboxState::from_json(std::string_view json) {
  const auto document = policy::parse_strict_json(json);
  if (!document) return invalid(document.error().message);
  return StateReader::read(*document);
}

std::string SandboxState::to_json() const {
  ordered_json document = ordered_json::object();
  document["fs"] = ordered_json::array();
  for (const FsEntry& entry : fs_) {
    document["fs"].push_back(ordered_json{{"original", entry.original},
                                          {"resolved", entry.resolved},
                                          {"access", entry.access},
                                          {"is_file", entry.is_file}});
  }
  for (const SocketEntry& entry : unix_sockets_) {
    ordered_json item{{"original", entry.original}, {"resolved", entry.resolved}};
    if (entry.scope) item["scope"] = *entry.scope;
    if (entry.is_directory) item["is_directory"] = *entry.is_directory;
    item["mode"] = entry.mode;
    document["unix_sockets"].push_back(std::move(item));
  }
  document["net_blocked"] = net_blocked_;
  if (resource_limits_) {
    ordered_json limits = ordered_json::object();
    if (resource_limits_->memory_bytes) limits["memory_bytes"] = *resource_limits_->memory_bytes;
    if (resource_limits_->max_processes) limits["max_processes"] = *resource_limits_->max_processes;
    document["resource_limits"] = std::move(limits);
  }
  return document.dump(2);
}

}  // namespace nono::capability
