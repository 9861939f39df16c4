#include "supervise/name_change.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>

#include "kernel/fd_table.h"
#include "supervise/object.h"

namespace nono::supervise {
namespace {

int error_of(long result) { return result < 0 ? errno : 0; }

// A slot, its place and what is there now.
struct Named {
  Slot slot;
  std::string place;  // none for ".", ".." and "/"
  std::optional<kernel::Identity> object;

  [[nodiscard]] bool is_directory() const { return object && S_ISDIR(object->mode); }
  [[nodiscard]] bool is_link() const { return object && S_ISLNK(object->mode); }
  [[nodiscard]] int directory() const { return slot.directory.get(); }
  [[nodiscard]] const char* name() const { return slot.name.c_str(); }
};

std::optional<kernel::Identity> look_at(const Slot& slot) {
  struct stat st {};
  const std::string name(plain_name(slot));
  if (::fstatat(slot.directory.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return kernel::Identity{st.st_dev, st.st_ino, st.st_mode};
}

std::variant<Named, int> look_up(const Origin& origin) {
  auto slot = open_slot(origin);
  if (const int* error = std::get_if<int>(&slot)) return *error;
  Named named{std::get<Slot>(std::move(slot)), {}, {}};
  if (is_special(named.slot)) return named;
  auto place = place_of(named.slot);
  if (const int* error = std::get_if<int>(&place)) return *error;
  named.place = std::get<std::string>(std::move(place));
  named.object = look_at(named.slot);
  return named;
}

class Change {
 public:
  Change(const Origin& first, const Origin& second, mode_t umask, DeniedNames& names)
      : first_(first), second_(second), umask_(umask), names_(names) {}

  int operator()(const Open&) const { return ENOSYS; }

  // Alone: the directory that is noted must be the one that was made.
  int operator()(const MakeDirectory& call) const {
    const std::lock_guard lock(names_.moving());
    return at_slot(first_, [&](const Named& named) {
      ::umask(umask_);
      if (const int error = error_of(::mkdirat(named.directory(), named.name(), call.mode))) return error;
      names_.note_made(named.place, key_of(named.directory(), std::string(plain_name(named.slot))));
      return 0;
    });
  }
  int operator()(const MakeNode& call) const {
    const std::shared_lock lock(names_.moving());
    return at_slot(first_, [&](const Named& named) {
      ::umask(umask_);
      return error_of(::syscall(SYS_mknodat, named.directory(), named.name(), call.mode, call.device));
    });
  }
  int operator()(const MakeSymlink& call) const {
    const std::shared_lock lock(names_.moving());
    return at_slot(first_, [&](const Named& named) {
      if (is_pinned(named)) return EACCES;
      return error_of(::symlinkat(call.content.c_str(), named.directory(), named.name()));
    });
  }
  int operator()(const Remove& call) const {
    const std::shared_lock lock(names_.moving());
    return at_slot(first_, [&](const Named& named) {
      return error_of(::unlinkat(named.directory(), named.name(), call.directory ? AT_REMOVEDIR : 0));
    });
  }

  // Another name for what is closed would open it.
  int operator()(const Link& call) const {
    const std::shared_lock lock(names_.moving());
    const auto object = open_changeable(call.from.follow);
    if (const int* error = std::get_if<int>(&object)) return *error;
    const Held& from = std::get<Held>(object);
    return at_slot(second_, [&](const Named& named) {
      if (S_ISLNK(from.identity.mode)) return link_by_name(from.identity, named);
      if (names_.opens(from.place, named.place, from.identity)) return EACCES;
      return error_of(::linkat(AT_FDCWD, link_to(from.fd).c_str(), named.directory(), named.name(), AT_SYMLINK_FOLLOW));
    });
  }

  int operator()(const Rename& call) const {
    const std::lock_guard lock(names_.moving());
    auto looked_up = look_up(first_);
    if (const int* error = std::get_if<int>(&looked_up)) return *error;
    const Named& from = std::get<Named>(looked_up);
    return at_slot(second_, [&](const Named& to) {
      if (const int error = judge(from)) return error;
      if (const int error = judge_move(from, to)) return error;
      if ((call.flags & RENAME_WHITEOUT) != 0) return EINVAL;
      if ((call.flags & RENAME_EXCHANGE) != 0) {
        if (const int error = judge_move(to, from)) return error;
      }
      return error_of(
          ::syscall(SYS_renameat2, from.directory(), from.name(), to.directory(), to.name(), call.flags));
    });
  }

  int operator()(const Truncate& call) const {
    const std::shared_lock lock(names_.moving());
    const auto object = open_changeable(true);
    if (const int* error = std::get_if<int>(&object)) return *error;
    return error_of(::truncate(link_to(std::get<Held>(object).fd).c_str(), call.size));
  }

 private:
  struct Held {
    Fd fd;
    kernel::Identity identity;
    std::string place;  // none for what has no name
  };
  // The object that the first path names, if it may be changed.
  std::variant<Held, int> open_changeable(bool follow) const {
    auto object = open_object(first_, follow);
    if (const int* error = std::get_if<int>(&object)) return *error;
    Fd& held = std::get<Fd>(object);
    const auto identity = kernel::fstat(held);
    const auto place = place_of(held);
    if (!identity) return EACCES;
    if (const int* error = std::get_if<int>(&place)) return *error;
    if (const auto& path = std::get<std::string>(place); !path.empty()) {
      if (const int error = names_.check(path, *identity, plan::Use::kChange)) return error;
    }
    return Held{std::move(held), *identity, std::get<std::string>(place)};
  }

  template <class Act>
  int at_slot(const Origin& origin, Act act) const {
    auto looked_up = look_up(origin);
    if (const int* error = std::get_if<int>(&looked_up)) return *error;
    const Named& named = std::get<Named>(looked_up);
    if (const int error = judge(named)) return error;
    return act(named);
  }

  int judge(const Named& named) const {
    return named.place.empty() ? 0 : names_.check(named.place, named.object, plan::Use::kChange);
  }

  bool is_pinned(const Named& named) const { return !named.place.empty() && names_.is_pinned(named.place); }

  int judge_move(const Named& from, const Named& to) const {
    if (names_.opens(from.place, to.place, from.object)) return EACCES;
    if (!from.is_directory() && !from.is_link()) return 0;
    if (is_pinned(from) || is_pinned(to)) return EACCES;
    return from.is_directory() && names_.is_border(from.place, to.place) ? EXDEV : 0;
  }

  // A symbolic link itself: there is no other way than its name.
  int link_by_name(const kernel::Identity& identity, const Named& to) const {
    auto looked_up = look_up(first_);
    if (const int* error = std::get_if<int>(&looked_up)) return *error;
    const Named& from = std::get<Named>(looked_up);
    if (from.object != identity || is_pinned(to)) return EACCES;
    return error_of(::linkat(from.directory(), from.name(), to.directory(), to.name(), 0));
  }

  const Origin& first_;
  const Origin& second_;
  const mode_t umask_;
  DeniedNames& names_;
};

}  // namespace

int change_name(const NameCall& call, const Origin& first, const Origin& second, mode_t umask, DeniedNames& names) {
  return std::visit(Change(first, second, umask, names), call);
}

}  // namespace nono::supervise
