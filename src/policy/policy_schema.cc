#include "base/text.h"
#include "policy/object_reader.h"
#include "policy/policy_document.h"

namespace nono::policy {

// Declared before the tables: each table must find every overload that it uses.
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, InjectMode& into);
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at,
                                std::optional<Strings>& into);

template <>
struct Schema<Meta> {
  static constexpr std::array fields{field<&Meta::version>("version"),
                                     field<&Meta::schema_version>("schema_version")};
};

template <>
struct Schema<Allow> {
  static constexpr std::array fields{field<&Allow::read>("read"), field<&Allow::write>("write"),
                                     field<&Allow::readwrite>("readwrite")};
};

template <>
struct Schema<Deny> {
  static constexpr std::array fields{
      field<&Deny::access>("access"), field<&Deny::unlink>("unlink"),
      field<&Deny::unlink_override_for_user_writable>("unlink_override_for_user_writable")};
};

template <>
struct Schema<EndpointRule> {
  static constexpr std::array fields{
      field<&EndpointRule::method>("method", Presence::kRequired),
      field<&EndpointRule::path>("path", Presence::kRequired)};
};

template <>
struct Schema<Route> {
  static constexpr std::array fields{
      field<&Route::prefix>("prefix", Presence::kRequired),
      field<&Route::upstream>("upstream", Presence::kRequired),
      field<&Route::credential_key>("credential_key"),
      field<&Route::inject_mode>("inject_mode"),
      field<&Route::inject_header>("inject_header"),
      field<&Route::credential_format>("credential_format"),
      field<&Route::path_pattern>("path_pattern"),
      field<&Route::path_replacement>("path_replacement"),
      field<&Route::query_param_name>("query_param_name"),
      field<&Route::env_var>("env_var"),
      field<&Route::endpoint_rules>("endpoint_rules"),
      field<&Route::tls_ca>("tls_ca"),
      field<&Route::tls_client_cert>("tls_client_cert"),
      field<&Route::tls_client_key>("tls_client_key")};
};

template <>
struct Schema<Network> {
  static constexpr std::array fields{
      field<&Network::block>("block"),
      field<&Network::allow_domain>("allow_domain", {"allow_proxy", "proxy_allow"}),
      field<&Network::credentials>("credentials"),
      field<&Network::custom_credentials>("custom_credentials"),
      field<&Network::upstream_proxy>("upstream_proxy", {"external_proxy"}),
      field<&Network::upstream_bypass>("upstream_bypass", {"external_proxy_bypass"}),
      field<&Network::max_connections>("max_connections")};
};

template <>
struct Schema<Group> {
  static constexpr std::array fields{
      field<&Group::description>("description", Presence::kRequired),
      field<&Group::platform>("platform"),
      field<&Group::required>("required"),
      field<&Group::allow>("allow"),
      field<&Group::deny>("deny"),
      field<&Group::symlink_pairs>("symlink_pairs"),
      field<&Group::network>("network")};
};

template <>
struct Schema<Policy> {
  static constexpr std::array fields{field<&Policy::meta>("meta"),
                                     field<&Policy::groups>("groups", Presence::kRequired),
                                     field<&Policy::profiles>("profiles")};
};

Status read_value(const JsonValue& from, const DocumentPath& at, InjectMode& into) {
  struct Spelling {
    std::string_view text;
    InjectMode mode;
  };
  static constexpr Spelling kSpellings[] = {{"header", InjectMode::kHeader},
                                            {"url_path", InjectMode::kUrlPath},
                                            {"query_param", InjectMode::kQueryParam},
                                            {"basic_auth", InjectMode::kBasicAuth}};
  const auto* text = from.as<std::string>();
  if (text == nullptr) return wrong_type(from, "a string", at);
  for (const Spelling& spelling : kSpellings) {
    if (*text != spelling.text) continue;
    into = spelling.mode;
    return {};
  }
  return malformed(cat("unknown variant `", printable(*text),
                       "`, expected one of `header`, `url_path`, `query_param`, `basic_auth`",
                       at_place(at.text())));
}

// Null is refused although absence is allowed: it could be meant as "no host" as well as "any".
Status read_value(const JsonValue& from, const DocumentPath& at, std::optional<Strings>& into) {
  return read_value(from, at, into.emplace());
}

Result<Policy> parse_policy(std::string_view json) {
  const auto document = parse_strict_json(json);
  if (!document) return malformed(document.error().message);
  Policy policy;
  const Status read = read_value(*document, DocumentPath(), policy);
  if (!read) return tl::unexpected<Error>(read.error());
  return policy;
}

}  // namespace nono::policy
