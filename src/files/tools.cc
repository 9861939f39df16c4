#include "files/tools.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "capability/denials_here.h"
#include "launch/plan_here.h"
#include "supervise/origin.h"

namespace nono::files {
namespace {

// Begins to write a file to the disk, unless it has been replaced again: ext4 waits for that when such a file is removed.
void flush(const Fd& file) {
  struct stat st {};
  if (::fstat(file.get(), &st) == 0 && st.st_nlink > 0) (void)::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

capability::DenialList denials_for(const capability::CapabilitySet& set, Purpose purpose) {
  const auto is_literal = [](const capability::Denial& denial) { return !denial.is_pattern(); };
  const bool asks = purpose == Purpose::kChanges || std::ranges::any_of(set.denials().own(), is_literal);
  return asks ? capability::denials_here(set) : set.denials();
}

}  // namespace

Result<std::unique_ptr<Tools>> Tools::of(const capability::CapabilitySet& capabilities, const plan::Options& options) {
  plan::Plan plan = NONO_TRY(launch::plan_here(capabilities, options));
  return std::unique_ptr<Tools>(new Tools(capabilities, std::move(plan), supervise::umask_of(::gettid())));  // NOLINT: private
}

Tools::Tools(capability::CapabilitySet capabilities, plan::Plan plan, mode_t umask)
    : capabilities_(std::move(capabilities)), plan_(std::move(plan)), umask_(umask) {}

Tools::~Tools() {
  Crew* crew = crew_.load();
  if (crew != nullptr && crew->is_ours()) delete crew;  // NOLINT: given away by crew()
}

// Threads that come first at the same time each make one, and one of these is kept. Another process's is left alone.
Result<Crew*> Tools::crew() {
  Crew* known = crew_.load(std::memory_order_acquire);
  while (known == nullptr || !known->is_ours()) {
    auto fresh = NONO_TRY(Crew::of(plan_));
    if (crew_.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel)) return fresh.release();
  }
  return known;
}

Result<std::shared_ptr<Ended>> Tools::ended() {
  const Crew* crew = NONO_TRY(this->crew());
  return crew->ended();
}

// The denials are looked up here, by the descriptors of the grants, which are the host's.
Status Tools::start(Purpose purpose, Tool tool) {
  Crew* crew = NONO_TRY(this->crew());
  const bool is_given = crew->give([this, crew, denials = denials_for(capabilities_, purpose), tool = std::move(tool)] {
    Reach reach(capabilities_.fs(), denials, umask_);
    tool(*crew, reach);
    for (Fd& file : reach.take_written()) {
      crew->put_off([written = std::make_shared<const Fd>(std::move(file))] { flush(*written); });
    }
  });
  if (!is_given) return fail(ErrorKind::kSandboxInit, "no confined thread can be had for the file tools");
  return {};
}

}  // namespace nono::files
