#include "supervise/judge.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <variant>

#include "capability/ancestry.h"
#include "kernel/fd_table.h"
#include "plan/explain.h"
#include "supervise/change.h"
#include "supervise/memory.h"
#include "supervise/metadata_call.h"
#include "supervise/object.h"

namespace nono::supervise {
namespace {

bool names(const std::string& link, const kernel::Identity& identity) {
  struct stat st {};
  return ::lstat(link.c_str(), &st) == 0 && kernel::Identity{st.st_dev, st.st_ino, st.st_mode} == identity;
}

// As `nono why` answers for its place; the object there must be this one. A device is the whole machine's: a
// grant to write to it is none to close it for others.
bool may_change(const Law& law, const Fd& object, const std::string& place) {
  const auto identity = kernel::fstat(object);
  if (!identity || S_ISCHR(identity->mode) || S_ISBLK(identity->mode)) return false;
  const bool is_link = S_ISLNK(identity->mode);  // belongs to its directory, wherever it points
  const auto ancestry = capability::ancestry_of(is_link ? place.substr(0, place.rfind('/') + 1) : place);
  const bool is_there = is_link ? names(place, *identity)
                                : !ancestry.self_and_up.empty() && ancestry.self_and_up.front() == *identity;
  return is_there && plan::explain_path(law.grants, law.denials, ancestry, capability::AccessMode::kWrite).allowed();
}

}  // namespace

int answer(const Law& law, const seccomp_notif& call, const std::function<bool()>& still_waits) {
  std::array<std::uint64_t, 6> arguments{};
  std::ranges::copy(call.data.args, arguments.begin());
  const int thread = static_cast<int>(call.pid);
  const auto decoded = decode(law.arch, call.data.nr, arguments, ThreadMemory(thread));
  if (const int* error = std::get_if<int>(&decoded)) return *error;
  const auto& wanted = std::get<MetadataCall>(decoded);
  const auto opened = open_object(thread, wanted.target);
  if (!still_waits()) return ESRCH;  // what was read may have been another thread's
  if (const int* error = std::get_if<int>(&opened)) return *error;
  const Fd& object = std::get<Fd>(opened);
  const auto place = place_of(object);
  if (const int* error = std::get_if<int>(&place)) return *error;
  const auto& path = std::get<std::string>(place);
  if (!path.empty() && !may_change(law, object, path)) return EPERM;
  return perform(wanted, object);
}

}  // namespace nono::supervise
