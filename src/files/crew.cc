#include "files/crew.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <system_error>
#include <utility>

#include "kernel/signals.h"
#include "launch/rulesets.h"
#include "supervise/hand.h"

namespace nono::files {
namespace {

// Work that waits for a disk or another machine holds a thread; more of it than this waits for each other.
constexpr std::size_t kMostThreads = 32;

constexpr std::chrono::seconds kPutOff{1};
constexpr std::size_t kMostPutOff = 16;

std::size_t most_helpers() { return std::clamp(std::thread::hardware_concurrency(), 1U, 8U) - 1; }

}  // namespace

Result<std::unique_ptr<Crew>> Crew::of(const plan::Plan& plan) {
  Fd ruleset = NONO_TRY(launch::make_ruleset(supervise::Rules(plan).landlock));
  std::optional<std::uint64_t> kept;
  if (plan.facts.capabilities != 0) kept = plan.kept_capabilities;
  return std::unique_ptr<Crew>(new Crew(std::move(ruleset), kept));  // NOLINT: the constructor is private
}

Crew::Crew(Fd ruleset, std::optional<std::uint64_t> kept_capabilities)
    : ruleset_(std::move(ruleset)), kept_capabilities_(kept_capabilities), process_(::getpid()) {
  if (::sched_getaffinity(0, sizeof processors_, &processors_) != 0) CPU_ZERO(&processors_);
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
    waiting_.clear();
    for (Member* member : idle_) member->wake.release();
  }
  for (const auto& member : members_) member->thread.join();
}

bool Crew::give(Work work) { return give(std::move(work), ::sched_getcpu()); }

bool Crew::give(Work work, int processor) {
  Member* member = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      member = idle_.back();
      idle_.pop_back();
    } else {
      member = add_member();
    }
    if (member == nullptr) {
      if (members_.empty()) return false;
      waiting_.push_back(std::move(work));
      return true;
    }
  }
  move(*member, processor);
  member->work = std::move(work);
  member->wake.release();
  return true;
}

// It sleeps, and goes on there. Where that is refused it stays where it was.
void Crew::move(Member& member, int processor) const {
  if (member.processor == processor || CPU_COUNT(&processors_) == 0) return;
  cpu_set_t only;
  CPU_ZERO(&only);
  if (processor >= 0) CPU_SET(static_cast<unsigned>(processor), &only);
  if (::sched_setaffinity(member.id, sizeof only, processor >= 0 ? &only : &processors_) == 0) member.processor = processor;
}

Crew::Member* Crew::add_member() {
  if (members_.size() == kMostThreads) return nullptr;
  auto member = std::make_unique<Member>();
  const auto confined = std::make_shared<std::promise<bool>>();
  const kernel::BlockAllSignals no_handler_runs_there;
  try {
    member->thread = std::thread([this, confined, added = member.get()] {
      added->id = ::gettid();
      (void)::prctl(PR_SET_NAME, "nono-files");
      const bool is_confined = supervise::confine_this_thread(ruleset_.get(), kept_capabilities_);
      confined->set_value(is_confined);
      if (is_confined) serve(*added);
    });
  } catch (const std::system_error&) {  // no thread to be had
    return nullptr;
  }
  if (!confined->get_future().get()) {
    member->thread.join();
    return nullptr;
  }
  members_.push_back(std::move(member));
  return members_.back().get();
}

Crew::Member*& Crew::current() {
  thread_local Member* member = nullptr;
  return member;
}

void Crew::share(const Work& work) {
  if (Member* self = current()) move(*self, -1);
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t running = 0;
    bool is_over = false;  // nobody joins any more
  };
  const auto shared = std::make_shared<Shared>();
  const Work help = [shared, &work] {
    {
      const std::lock_guard lock(shared->mutex);
      if (shared->is_over) return;  // `work` is gone
      ++shared->running;
    }
    work();
    const std::lock_guard lock(shared->mutex);
    --shared->running;
    shared->changed.notify_one();
  };
  for (std::size_t i = 0; i < most_helpers(); ++i) {
    if (!give_anywhere(help)) break;
  }
  work();
  std::unique_lock lock(shared->mutex);
  shared->is_over = true;
  shared->changed.wait(lock, [&] { return shared->running == 0; });
}

void Crew::put_off(Work work) {
  Work oldest;
  {
    const std::lock_guard lock(mutex_);
    put_off_.push_back(std::move(work));
    if (put_off_.size() <= kMostPutOff) return;
    oldest = std::move(put_off_.front());
    put_off_.pop_front();
  }
  oldest();
}

void Crew::do_put_off() {
  std::deque<Work> works;
  {
    const std::lock_guard lock(mutex_);
    works.swap(put_off_);
  }
  for (const Work& work : works) work();
}

void Crew::wait(Member& member) {
  const auto has_put_off = [this] {
    const std::lock_guard lock(mutex_);
    return !put_off_.empty();
  };
  while (has_put_off()) {
    if (member.wake.try_acquire_for(kPutOff)) return;
    do_put_off();
  }
  member.wake.acquire();
}

void Crew::serve(Member& member) {
  current() = &member;
  for (bool is_closing = false; !is_closing;) {
    wait(member);
    for (Work work = std::move(member.work); work;) {
      work();
      work = nullptr;
      const std::lock_guard lock(mutex_);
      if (!waiting_.empty()) {
        work = std::move(waiting_.front());
        waiting_.pop_front();
      } else if (!is_closing_) {
        idle_.push_back(&member);
      }
    }
    const std::lock_guard lock(mutex_);
    is_closing = is_closing_;
  }
  do_put_off();
}

}  // namespace nono::files
