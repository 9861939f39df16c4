// Reach: what one call of a file tool may open, make and remove, by its path: what a command of the same sandbox may.
// Landlock holds the calling thread to the grants (crew.h); what Landlock cannot say, denied and protected names, is
// judged here as the supervisor judges it for commands, by the object that was reached and not by the text of a path.
// Nothing of procfs is opened: it would show this process to itself.
// One thread. An attacker chooses paths and moves files meanwhile.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "capability/capability_set.h"
#include "files/failure.h"
#include "supervise/answer.h"
#include "supervise/denied_names.h"
#include "supervise/object.h"
#include "supervise/origin.h"

namespace nono::files {

struct Opened {
  Fd fd;
  struct stat st;
  std::string place = {};  // where it was when it was opened, if that was needed
  // For who changes it: the directory and the name that it was opened by, where these say what is meant.
  std::optional<supervise::Slot> slot = {};
};

class Reach {
 public:
  Reach(capability::GrantList grants, capability::DenialList denials, mode_t umask);
  Reach(const Reach&) = delete;
  Reach& operator=(const Reach&) = delete;

  // A regular file. Never waits; O_CREAT makes it with the mode that a shell would.
  [[nodiscard]] Expected<Opened> open(const std::string& path, int flags);
  [[nodiscard]] Expected<Opened> open_directory(const std::string& path);
  // Either.
  [[nodiscard]] Expected<Opened> open_any(const std::string& path, int flags);

  // The directories that `path`, absolute, is in, as far as they are missing.
  [[nodiscard]] Expected<void> make_parents(const std::string& path);
  // 0 or an errno. A name in a directory that is held.
  [[nodiscard]] int remove(const Fd& directory, const std::string& name, bool is_directory);

  // What is to go to the disk when the call has been answered.
  void flush_later(Fd file) { written_.push_back(std::move(file)); }
  [[nodiscard]] std::vector<Fd> take_written() { return std::move(written_); }

  // Is this name closed to the tool? `place`: canonical. `object`: what is there.
  [[nodiscard]] bool is_closed(const std::string& place, const struct stat* object, plan::Use use) const;
  // No name is closed for reading: nothing need be asked.
  [[nodiscard]] bool reads_freely() const { return names_.reads_freely(); }

 private:
  [[nodiscard]] supervise::Answer open_judged(const supervise::Origin& at, int flags);
  [[nodiscard]] static supervise::Answer open_unjudged(const std::string& path, int flags);
  [[nodiscard]] int make_directory(const std::string& path);
  [[nodiscard]] bool is_in_a_grant(const std::string& path) const;

  capability::GrantList grants_;
  supervise::DeniedNames names_;
  mode_t umask_;
  std::vector<Fd> written_;
};

// Is the object in a procfs? False costs nothing on a disk.
[[nodiscard]] bool is_in_proc(const Fd& object, const struct stat& st);

}  // namespace nono::files
