#include "plan/record.h"

#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernel/uapi.h"
#include "plan/boundaries.h"
#include "plan/denials.h"

namespace nono::plan {
namespace {

using Json = nlohmann::ordered_json;

Json grants(const Plan& plan) {
  Json list = Json::array();
  for (std::size_t i = 0; i < plan.grants.size(); ++i) {
    const auto& grant = plan.grants[i];
    Json entry{{"path", grant.resolved},
               {"access", std::string(to_string(grant.access))},
               {"is_file", grant.is_file},
               {"source", grant.source.to_string()},
               {"landlock_rights", plan.landlock.paths[i].access}};
    if (grant.pattern) entry["pattern"] = grant.name();
    list.push_back(std::move(entry));
  }
  return list;
}

Json denials(const Plan& plan) {
  Json list = Json::array();
  for (const auto& denial : plan.denials.own()) {
    if (!denial.protected_by.empty()) continue;
    const bool covered = plan.view && std::ranges::any_of(plan.view->covered, [&](const std::string& path) {
                           return capability::is_within_folded(path, denial.resolved);
                         });
    const char* by = covered                          ? "mount namespace"
                     : matters(denial, plan.grants) ? "supervisor"
                                                      : "landlock: not granted";
    list.push_back({{"path", denial.resolved}, {"enforced_by", by}});
  }
  return list;
}

Json unix_sockets(const Plan& plan) {
  Json list = Json::array();
  for (const auto& grant : plan.unix_sockets) {
    list.push_back({{"path", grant.resolved},
                    {"scope", std::string(to_string(grant.scope))},
                    {"mode", std::string(to_string(grant.mode))}});
  }
  return list;
}

// By name, each with its rules.
Json protected_names(const Plan& plan) {
  Json names = Json::object();
  for (const auto& denial : plan.denials) {
    if (!denial.protected_by.empty()) names[denial.protected_by].push_back(denial.resolved);
  }
  return names;
}

Json ports(const Plan& plan, std::uint64_t right) {
  Json list = Json::array();
  for (const auto& rule : plan.landlock.ports) {
    if ((rule.access & right) != 0) list.push_back(rule.port);
  }
  return list;
}

const char* sockets(Sockets sockets) {
  switch (sockets) {
    case Sockets::kNone: return "none";
    case Sockets::kTcp: return "tcp";
    case Sockets::kInternet: return "internet";
  }
  return "";
}

const char* limit_name(int resource) {
  switch (resource) {
    case RLIMIT_CORE: return "core_bytes";
    case RLIMIT_AS: return "memory_bytes";
    case RLIMIT_NPROC: return "processes";
    case RLIMIT_CPU: return "cpu_seconds";
    case RLIMIT_FSIZE: return "file_size_bytes";
    case RLIMIT_NOFILE: return "open_files";
    default: return "other";
  }
}

}  // namespace

std::string record_json(const Plan& plan) {
  Json boundaries = Json::array();
  for (const auto& boundary : boundaries_of(plan)) {
    boundaries.push_back({{"boundary", boundary.name},
                          {"enforced_by", boundary.enforced_by},
                          {"detail", boundary.detail}});
  }
  Json limits = Json::object();
  for (const auto& limit : plan.rlimits) limits[limit_name(limit.resource)] = limit.value;
  Json environment = Json::array();
  for (const auto& variable : plan.environment) environment.push_back(variable.first);

  Json record;
  record["isolation"] = isolation_name(plan);
  record["kernel"] = {{"release", plan.facts.kernel_release},
                      {"landlock_abi", plan.facts.landlock_abi},
                      {"landlock_errata", plan.facts.landlock_errata}};
  record["grants"] = grants(plan);
  if (Json list = unix_sockets(plan); !list.empty()) record["unix_sockets"] = std::move(list);
  if (Json list = denials(plan); !list.empty()) record["denials"] = std::move(list);
  if (Json names = protected_names(plan); !names.empty()) record["protected"] = std::move(names);
  record["network"] = {{"sockets", sockets(plan.seccomp_rules.sockets)},
                       {"connect_ports", ports(plan, kernel::kNetConnectTcp)},
                       {"bind_ports", ports(plan, kernel::kNetBindTcp)}};
  record["boundaries"] = std::move(boundaries);
  record["seccomp"] = {{"instructions", plan.seccomp_program->size()}};
  record["limits"] = std::move(limits);
  record["environment"] = std::move(environment);
  // A path may be any bytes; JSON may not.
  return record.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nono::plan
