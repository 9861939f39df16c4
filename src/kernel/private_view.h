// The private view: what a new mount namespace needs before a command may run in it.
//
// `make_private_view` and `mount_fresh_proc` run in a process of the new namespaces, in memory shared
// with the host: system calls only (kernel/raw.h), everything prepared beforehand. `private_view`
// tries both once in a short-lived process and remembers the answer; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace nono::kernel {

// A directory or file of the view. `path` is canonical; device and inode say what it must still be:
// whatever has taken its place since is refused, never mounted.
struct ViewEntry {
  const char* path = nullptr;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

// What is put into a root that holds the grants only, one after the other. What leads to a step is
// there before it, and is no link.
struct ViewStep {
  enum class Kind {
    kDirectory,     // an empty one
    kFile,          // an empty one, for what is no directory to be bound to
    kLink,          // to `target`
    kBind,          // what is at the path on the host, with all that is mounted in it
    kBindWritable,  // the same; else it is read-only
  };
  Kind kind = Kind::kDirectory;
  ViewEntry entry;  // device and inode with kBind and kBindWritable
  const char* target = nullptr;
  bool in_grant = false;  // bound inside what was bound before: the place is compared, too
};

// A grant below /proc: the fresh /proc is another object, so its rule is added there, by name.
struct ProcRule {
  const char* path = nullptr;
  std::uint64_t access = 0;  // LandlockFs bits
};

struct PrivateViewSetup {
  bool user_namespace = false;
  const char* uid_map = nullptr;  // "1000 1000 1", with its length
  std::size_t uid_map_size = 0;
  const char* gid_map = nullptr;
  std::size_t gid_map_size = 0;
  const ViewEntry* writable = nullptr;
  std::size_t writable_count = 0;
  const ViewEntry* pinned = nullptr;  // directories that become mounts, so that they keep their names
  std::size_t pinned_count = 0;
  const ViewEntry* covered = nullptr;  // what is covered by something that cannot be opened
  std::size_t covered_count = 0;
  bool own_root = false;  // made of `steps`; else the host's, read-only but for `writable`
  const ViewStep* steps = nullptr;
  std::size_t step_count = 0;
};

struct FreshProcSetup {
  const ProcRule* rules = nullptr;
  std::size_t rule_count = 0;
  int ruleset = -1;  // that `rules` are added to
};

struct SetupFailure {
  const char* step = nullptr;  // nullptr: none
  int error = 0;
};

// Makes the whole root read-only but for the writable roots, or enters a root made of `steps`.
[[nodiscard]] SetupFailure make_private_view(const PrivateViewSetup& setup);

// A /proc of the calling process's PID namespace, read-only.
[[nodiscard]] SetupFailure mount_fresh_proc(const FreshProcSetup& setup);

// CLONE_NEW* flags for a view. The PID namespace is made for each command.
[[nodiscard]] std::uint64_t private_view_flags(bool user_namespace);

struct PrivateView {
  bool possible = false;
  bool needs_user_namespace = false;
  std::string error;  // "mount /proc: Operation not permitted (os error 1)" when it is not
};
// `capabilities`: the caller's effective mask; CAP_SYS_ADMIN does without a user namespace.
[[nodiscard]] const PrivateView& private_view(std::uint64_t capabilities);

}  // namespace nono::kernel
