#include "launch/view.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace nono::launch {
namespace {

tl::unexpected<Error> cannot_cover(const std::string& path, std::string_view why, std::string hint) {
  return fail(ErrorKind::kSandboxInit,
              cat("Sandbox initialization failed: ", escape(path), " cannot be denied: ", why), std::move(hint));
}

Result<struct stat> look_at(const std::string& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) {
    const int error = errno;
    return cannot_cover(path, error == ENOENT ? std::string("it does not exist, and nothing keeps it from being made")
                                              : os_error(error),
                        "Create it, or grant paths that leave it out.");
  }
  return st;
}

Result<kernel::Identity> look_at_denied(const std::string& path) {
  const struct stat st = NONO_TRY(look_at(path));
  if (S_ISLNK(st.st_mode)) {
    return cannot_cover(path, "a symbolic link has taken its place", "Deny what it points to.");
  }
  if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
    return cannot_cover(path, cat("it has ", st.st_nlink, " names (hard links), and only this one would be closed"),
                        "Replace it by a copy that has one name.");
  }
  return kernel::Identity{st.st_dev, st.st_ino, st.st_mode};
}

std::vector<kernel::ViewEntry> raw_entries(const ViewKey::Entries& entries) {
  std::vector<kernel::ViewEntry> raw;
  for (const auto& [path, identity] : entries) raw.push_back({path.c_str(), identity.device, identity.inode});
  return raw;
}

void make_writable(const plan::View& view, ViewKey& key) {
  for (const auto& rule : view.writable) {
    const auto& identity = rule.handle->identity;
    // A writable grant inside another one is in the same mount copy.
    const bool contained = std::ranges::any_of(
        key.writable, [&](const auto& root) { return capability::is_within(root.first, rule.path); });
    if (!contained && !S_ISCHR(identity.mode) && !S_ISBLK(identity.mode)) {
      key.writable.emplace_back(rule.path, identity);
    }
  }
}

void show_grants(const plan::View& view, ViewKey& key) {
  key.granted.reserve(view.writable.size() + view.read_only.size() + 1);
  for (const auto& rule : view.writable) key.granted.push_back({rule.path, rule.handle->identity, true});
  for (const auto& rule : view.read_only) key.granted.push_back({rule.path, rule.handle->identity, false});
  key.links = view.links;
  // The fresh one goes over it: a user namespace may have one only where it sees one.
  struct stat st {};
  if (key.fresh_proc && ::stat("/proc", &st) == 0) {
    key.granted.push_back({"/proc", {st.st_dev, st.st_ino, st.st_mode}, false});
  }
}

}  // namespace

Result<ViewKey> ViewKey::of(const plan::View& view) {
  ViewKey key;
  key.user_namespace = view.user_namespace;
  key.fresh_proc = !view.in_proc.empty();
  key.only_grants = view.only_grants;
  if (view.only_grants) {
    show_grants(view, key);
  } else {
    make_writable(view, key);
  }
  for (const std::string& path : view.pinned) {
    const struct stat st = NONO_TRY(look_at(path));
    key.pinned.emplace_back(path, kernel::Identity{st.st_dev, st.st_ino, st.st_mode});
  }
  for (const std::string& path : view.covered) key.covered.emplace_back(path, NONO_TRY(look_at_denied(path)));
  return key;
}

ViewSetup::ViewSetup(const ViewKey& key)
    : writable_(raw_entries(key.writable)),
      pinned_(raw_entries(key.pinned)),
      covered_(raw_entries(key.covered)),
      steps_(key.granted, key.links),
      uid_map_(cat(::geteuid(), " ", ::geteuid(), " 1")),
      gid_map_(cat(::getegid(), " ", ::getegid(), " 1")),
      raw_{key.user_namespace, uid_map_.data(),  uid_map_.size(), gid_map_.data(),  gid_map_.size(), writable_.data(),
           writable_.size(),   pinned_.data(),   pinned_.size(),  covered_.data(), covered_.size(),
           key.only_grants,    steps_.list().data(), steps_.list().size()} {}

}  // namespace nono::launch
