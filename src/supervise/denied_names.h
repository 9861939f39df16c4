// DeniedNames: what a plan's denials, and the patterns among its grants, say of an object that a call means. By its name
// as the kernel knows it, and by its identity, so that another name of the same file opens nothing.
// Any thread. An attacker chooses names and moves files meanwhile: whoever judges and then acts holds
// `moving` in between.
#pragma once

#include <optional>
#include <shared_mutex>
#include <string>

#include "kernel/fd_table.h"
#include "plan/denials.h"
#include "plan/plan.h"
#include "supervise/object_key.h"

namespace nono::supervise {

class DeniedNames {
 public:
  explicit DeniedNames(const plan::Plan& plan);
  DeniedNames(capability::GrantList grants, capability::DenialList denials);

  // 0 or EACCES. `place`: canonical. `object`: what is there, if anything.
  [[nodiscard]] int check(const std::string& place, const std::optional<kernel::Identity>& object,
                          plan::Use use) const;
  // What can be read by the second name, of the same object, cannot by the first: it may not be given that name.
  [[nodiscard]] bool opens(const std::string& from, const std::string& to, const std::optional<kernel::Identity>& object) const;
  // Nothing is closed to readers: `check` for reading says 0 whatever the names.
  [[nodiscard]] bool reads_freely() const { return reads_freely_; }
  // No denied name has a letter that a directory may fold into one of ASCII. Then such a name says enough by itself, and what the
  // directory really has need not be asked.
  [[nodiscard]] bool are_ascii() const { return are_ascii_; }

  // A directory that leads to something denied keeps its name, and its name leads to no other one.
  [[nodiscard]] bool is_pinned(const std::string& place) const;
  // Some denial holds at one of them and not at the other: a directory may not be moved there.
  [[nodiscard]] bool is_border(const std::string& from, const std::string& to) const;

  // The command has made this directory itself.
  void note_made(const std::string& place, const std::optional<ObjectKey>& directory);

  // Shared by what makes or opens a name, alone by what moves one.
  [[nodiscard]] std::shared_mutex& moving() const { return moving_; }

 private:
  [[nodiscard]] bool is_left_out(const std::string& place, const std::optional<kernel::Identity>& object, plan::Use use) const;
  [[nodiscard]] bool is_inside_own(const capability::Denial& denial, const std::string& place) const;
  [[nodiscard]] bool is_other_name(const std::string& place, const std::optional<kernel::Identity>& object,
                                   plan::Use use) const;

  capability::GrantList grants_;
  capability::DenialList denials_;
  bool are_ascii_;
  bool has_patterns_;  // among the grants
  bool reads_freely_;
  OwnObjects made_;
  mutable std::shared_mutex moving_;
};

}  // namespace nono::supervise
