#include "supervise/judge.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include "capability/ancestry.h"
#include "kernel/fd_table.h"
#include "plan/explain.h"
#include "supervise/change.h"
#include "supervise/memory.h"
#include "supervise/name_change.h"
#include "supervise/object.h"
#include "supervise/opening.h"

namespace nono::supervise {
namespace {

struct Targets {
  const Target* first = nullptr;
  const Target* second = nullptr;
};

struct TargetsOf {
  Targets operator()(const MetadataCall& call) const { return {&call.target, nullptr}; }
  Targets operator()(const NameCall& call) const { return std::visit(*this, call); }
  Targets operator()(const SocketCall&) const { return {}; }
  Targets operator()(const Link& call) const { return {&call.from, &call.to}; }
  Targets operator()(const Rename& call) const { return {&call.from, &call.to}; }
  template <class Call>
  Targets operator()(const Call& call) const {
    return {&call.target, nullptr};
  }
};

bool makes_a_file(const Call& call) {
  const auto* name = std::get_if<NameCall>(&call);
  if (name == nullptr) return false;
  if (const auto* open = std::get_if<Open>(name)) return (open->flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY) != 0;
  return std::holds_alternative<MakeDirectory>(*name) || std::holds_alternative<MakeNode>(*name);
}

// Everything that a call on a socket needs of the thread. 0 or an errno.
struct TakeEnds {
  int thread;
  const Fd& process;
  Root root;
  SocketEnds& into;

  int operator()(const Connect& call) const { return take(call.socket, &call.address); }
  int operator()(const Bind& call) const {
    if (call.address.path()) into.umask = umask_of(thread);
    return take(call.socket, &call.address);
  }
  int operator()(const Listen& call) const { return take(call.socket, nullptr); }
  int operator()(const Send& call) const {
    for (const int number : call.descriptors) {
      auto descriptor = take_descriptor(process, number);
      if (const int* error = std::get_if<int>(&descriptor)) return *error;
      into.descriptors.push_back(std::get<Fd>(std::move(descriptor)));
    }
    return take(call.socket, call.address ? &*call.address : nullptr);
  }

  int take(int socket, const SocketAddress* address) const {
    auto descriptor = take_descriptor(process, socket);
    if (const int* error = std::get_if<int>(&descriptor)) return *error;
    into.socket = std::get<Fd>(std::move(descriptor));
    const auto path = address == nullptr ? std::nullopt : address->path();
    if (!path) return 0;
    auto origin = origin_of(thread, Target{AT_FDCWD, *path, true, 0}, root);
    if (const int* error = std::get_if<int>(&origin)) return *error;
    into.path = std::get<Origin>(std::move(origin));
    return 0;
  }
};

// Of sendmmsg: told before it is sent, for those who send may not write there.
int tell_length(int thread, const Call& call) {
  const auto* socket = std::get_if<SocketCall>(&call);
  const auto* send = socket == nullptr ? nullptr : std::get_if<Send>(socket);
  if (send == nullptr || send->length_at == 0) return 0;
  return write_number(thread, send->length_at, static_cast<std::uint32_t>(send->data.size()));
}

bool names_identity(const std::string& link, const kernel::Identity& identity) {
  struct stat st {};
  return ::lstat(link.c_str(), &st) == 0 && kernel::Identity{st.st_dev, st.st_ino, st.st_mode} == identity;
}

// As `nono why` answers for its place; the object there must be this one. A device is the whole machine's: a
// grant to write to it is none to close it for others.
bool may_change(const Law& law, const Fd& object, const std::string& place) {
  const auto identity = kernel::fstat(object);
  if (!identity || S_ISCHR(identity->mode) || S_ISBLK(identity->mode)) return false;
  if (law.names.check(place, *identity, plan::Use::kChange) != 0) return false;
  const bool is_link = S_ISLNK(identity->mode);  // belongs to its directory, wherever it points
  const auto ancestry = capability::ancestry_of(is_link ? place.substr(0, place.rfind('/') + 1) : place);
  const bool is_there = is_link ? names_identity(place, *identity)
                                : !ancestry.self_and_up.empty() && ancestry.self_and_up.front() == *identity;
  return is_there && plan::explain_path(law.grants, {}, ancestry, capability::AccessMode::kWrite).allowed();
}

int change_metadata(const Law& law, const MetadataCall& call, const Origin& origin) {
  const auto opened = open_object(origin, call.target.follow);
  if (const int* error = std::get_if<int>(&opened)) return *error;
  const Fd& object = std::get<Fd>(opened);
  const auto place = place_of(object);
  if (const int* error = std::get_if<int>(&place)) return *error;
  const auto& path = std::get<std::string>(place);
  if (!path.empty() && !may_change(law, object, path)) return EPERM;
  return perform(call, object);
}

}  // namespace

Law::Law(const plan::Plan& plan)
    : arch(plan.facts.arch),
      root(plan.view ? Root::kPrivate : Root::kOurs),
      grants(plan.grants),
      names(plan),
      sockets{plan.unix_sockets, plan.grants, {}} {}

std::optional<int> refusal_at_once(const plan::Plan& plan, const seccomp_notif& call) {
  const auto decoded = decode_call(plan.facts.arch, call);
  const Call* known = std::get_if<Call>(&decoded);
  if (known == nullptr) return std::nullopt;
  const auto is_granted = [&](std::string_view path) {
    return std::ranges::any_of(plan.grants, [&](const auto& grant) { return grant.covers(path); });
  };
  if (const auto* name = std::get_if<NameCall>(known)) {
    const auto* open = std::get_if<Open>(name);
    const bool is_terminal = open != nullptr && open->target.path == "/dev/tty";
    return is_terminal && !is_granted("/dev/tty") ? std::optional(EACCES) : std::nullopt;
  }
  if (const auto* socket = std::get_if<SocketCall>(known)) {
    const auto* connect = std::get_if<Connect>(socket);
    const bool is_cache = connect != nullptr && connect->address.path() == "/var/run/nscd/socket";
    const bool is_plain = plan.unix_sockets.empty() && !is_granted("/run/nscd/socket") && !is_granted("/var/run/nscd/socket");
    return is_cache && is_plain ? std::optional(EACCES) : std::nullopt;
  }
  return std::nullopt;
}

std::variant<Call, int> decode_call(kernel::Arch arch, const seccomp_notif& call) {
  Arguments arguments{};
  std::ranges::copy(call.data.args, arguments.begin());
  return decode(arch, call.data.nr, arguments, ThreadMemory(static_cast<int>(call.pid)));
}

std::optional<Answer> open_at_once(Law& law, const GrantedPlaces& places, int thread, const Call& call,
                                   const std::function<bool()>& still_waits) {
  const auto* name = std::get_if<NameCall>(&call);
  const auto* open = name == nullptr ? nullptr : std::get_if<Open>(name);
  if (open == nullptr) return std::nullopt;
  const std::shared_lock lock(law.names.moving(), std::try_to_lock);
  if (!lock.owns_lock()) return std::nullopt;
  const auto origin = places.origin_of(thread, *open);
  if (!origin) return std::nullopt;
  const AskUmask umask = [&] {
    const mode_t callers = umask_of(thread);
    return still_waits() ? std::optional(callers) : std::nullopt;
  };
  // An open that changes nothing needs no question: nobody gets its descriptor.
  if ((open->flags & (O_CREAT | O_TRUNC)) != 0 && !still_waits()) return Answer::of(ESRCH);
  Answer given = open_for(*open, *origin, umask, law.names, Fd());
  if (given.later) return given.opened.valid() ? std::optional(std::move(given)) : std::nullopt;
  switch (given.error) {
    case 0:
    case EACCES:
    case EEXIST:
    case EISDIR: return given;
    case ENOENT:
    case ENOTDIR: {
      // Or has the directory that the path is relative to been moved meanwhile?
      const auto again = places.origin_of(thread, *open);
      return again && again->granted == origin->granted && again->path == origin->path ? std::optional(std::move(given)) : std::nullopt;
    }
    default: return std::nullopt;
  }
}

std::variant<Prepared, int> prepare(const Law& law, int thread, Call call, const std::function<bool()>& still_waits) {
  Prepared prepared;
  prepared.call = std::move(call);
  const Targets targets = std::visit(TargetsOf{}, prepared.call);
  int error = 0;
  const auto take = [&](const Target* target, Origin& into) {
    if (target == nullptr || error != 0) return;
    auto origin = origin_of(thread, *target, law.root);
    if (const int* failed = std::get_if<int>(&origin)) error = *failed;
    else into = std::get<Origin>(std::move(origin));
  };
  take(targets.first, prepared.first);
  take(targets.second, prepared.second);
  if (makes_a_file(prepared.call)) prepared.umask = umask_of(thread);
  if (const auto* socket = std::get_if<SocketCall>(&prepared.call)) {
    const auto process = open_process(thread);
    const int* failed = std::get_if<int>(&process);
    error = failed != nullptr ? *failed : std::visit(TakeEnds{thread, std::get<Fd>(process), law.root, prepared.ends}, *socket);
  }
  if (!still_waits()) return ESRCH;  // what was read may have been another thread's
  if (error == 0) error = tell_length(thread, prepared.call);
  if (error != 0) return error;
  return prepared;
}

Answer answer(Law& law, const Prepared& prepared, Fd waiting) {
  if (const auto* metadata = std::get_if<MetadataCall>(&prepared.call)) {
    return Answer::of(change_metadata(law, *metadata, prepared.first));
  }
  if (const auto* socket = std::get_if<SocketCall>(&prepared.call)) {
    return perform_socket_call(*socket, prepared.ends, law.sockets, law.names, std::move(waiting));
  }
  const auto& call = std::get<NameCall>(prepared.call);
  if (const auto* open = std::get_if<Open>(&call)) {
    const std::shared_lock lock(law.names.moving());
    return open_for(*open, prepared.first, [&] { return std::optional(prepared.umask); }, law.names, std::move(waiting));
  }
  return Answer::of(change_name(call, prepared.first, prepared.second, prepared.umask, law.names));
}

}  // namespace nono::supervise
