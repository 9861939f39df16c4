#include "files/crew.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <system_error>
#include <utility>

#include "kernel/fd_table.h"
#include "kernel/signals.h"
#include "launch/rulesets.h"
#include "supervise/hand.h"

namespace nono::files {
namespace {

// Work that waits for a disk or another machine holds a thread; more of it than this waits for each other.
constexpr std::size_t kMostThreads = 32;

constexpr std::chrono::seconds kPutOff{1};
constexpr std::size_t kMostPutOff = 64;

// About twice what it takes to wake a thread on another processor. Who lists one directory after the other has a helper that
// is awake.
constexpr std::chrono::microseconds kStaysAwake{100};

// Threads of all crews of this process that have work. A fork of the process may count some that its parent has: then it asks for
// help less often.
std::atomic<int> at_work{0};

std::size_t most_helpers() { return std::clamp(std::thread::hardware_concurrency(), 1U, 8U) - 1; }

}  // namespace

Result<std::unique_ptr<Crew>> Crew::of(const plan::Plan& plan) {
  Fd ruleset = NONO_TRY(launch::make_ruleset(supervise::Rules(plan).landlock));
  Fd event = NONO_TRY(kernel::eventfd());
  // NOLINTNEXTLINE: the constructor is private
  return std::unique_ptr<Crew>(new Crew(std::move(ruleset), std::move(event), supervise::capabilities_to_keep(plan)));
}

Crew::Crew(Fd ruleset, Fd event, std::optional<std::uint64_t> kept_capabilities)
    : ruleset_(std::move(ruleset)),
      ended_(std::make_shared<Ended>(std::move(event))),
      kept_capabilities_(kept_capabilities),
      process_(::getpid()) {
  if (::sched_getaffinity(0, sizeof processors_, &processors_) != 0) CPU_ZERO(&processors_);
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
    waiting_.clear();
    for (Member* member : idle_) member->wake.release();
    idle_.clear();  // what still works finds nobody to give more to
  }
  for (const auto& member : members_) member->thread.join();
}

bool Crew::give(Work work) { return give(std::move(work), ::sched_getcpu()); }

bool Crew::give(Work work, int processor) {
  Member* member = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (members_.empty() && !found()) return false;
    if (idle_.empty()) {
      waiting_.push_back(std::move(work));
      return true;
    }
    member = &take_idle(processor);
  }
  start(*member, std::move(work), processor);
  return true;
}

void Crew::offer(std::function<bool()> help) {
  Member* member = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (idle_.empty() || at_work.load() >= CPU_COUNT(&processors_)) return;
    member = &take_idle(kAnywhere);
  }
  start(*member, [help = std::move(help)] { current()->was_of_help = help(); }, kAnywhere);
}

// One that is there already, of those the last to have worked.
Crew::Member& Crew::take_idle(int processor) {
  const auto found = std::ranges::find(idle_.rbegin(), idle_.rend(), processor, &Member::processor);
  const auto taken = found == idle_.rend() ? std::prev(idle_.end()) : std::prev(found.base());
  Member& member = **taken;
  idle_.erase(taken);
  member.is_last = idle_.empty();
  return member;
}

void Crew::start(Member& member, Work work, int processor) const {
  move(member, processor);
  member.work = std::move(work);
  member.wake.release();
}

// The first thread. What it gives up the others do not have, for they are made by one of these.
bool Crew::found() {
  auto member = std::make_unique<Member>();
  const auto confined = std::make_shared<std::promise<bool>>();
  const kernel::BlockAllSignals no_handler_runs_there;
  try {
    member->thread = std::thread([this, confined, first = member.get()] {
      (void)::prctl(PR_SET_NAME, "nono-files");
      const bool is_confined = supervise::leave_descriptors({ruleset_.get(), ended_->descriptor()}) &&
                               supervise::confine_this_thread(ruleset_.get(), kept_capabilities_);
      confined->set_value(is_confined);
      if (is_confined) serve(*first);
    });
  } catch (const std::system_error&) {  // no thread to be had
    return false;
  }
  if (!confined->get_future().get()) {
    member->thread.join();
    return false;
  }
  members_.push_back(std::move(member));
  return true;
}

// By a thread of the crew.
void Crew::add_member() {
  const std::lock_guard lock(mutex_);
  if (is_closing_ || members_.size() == kMostThreads) return;
  auto member = std::make_unique<Member>();
  try {
    member->thread = std::thread([this, added = member.get()] { serve(*added); });
  } catch (const std::system_error&) {  // then those that there are have to do
    return;
  }
  members_.push_back(std::move(member));
}

// It sleeps, and goes on there. Where that is refused it stays where it was.
void Crew::move(Member& member, int processor) const {
  if (member.processor == processor || CPU_COUNT(&processors_) == 0) return;
  cpu_set_t only;
  CPU_ZERO(&only);
  if (processor >= 0) CPU_SET(static_cast<unsigned>(processor), &only);
  if (::sched_setaffinity(member.id, sizeof only, processor >= 0 ? &only : &processors_) == 0) member.processor = processor;
}

Crew::Member*& Crew::current() {
  thread_local Member* member = nullptr;
  return member;
}

void Crew::share(const Work& work) {
  if (Member* self = current()) move(*self, kAnywhere);
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
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    put_off_.push_back(std::move(work));
    count = put_off_.size();
  }
  if (count == kMostPutOff) (void)give_anywhere([this] { do_put_off(); });
  if (count >= 2 * kMostPutOff) do_put_off();  // nobody has come to it yet
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
  if (std::exchange(member.was_of_help, false)) {
    const auto until = std::chrono::steady_clock::now() + kStaysAwake;
    while (std::chrono::steady_clock::now() < until) {
      if (member.wake.try_acquire()) return;
    }
  }
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

// Empty: the crew ends.
Crew::Work Crew::next(Member& member) {
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty()) {
      Work work = std::move(waiting_.front());
      waiting_.pop_front();
      member.is_last = idle_.empty();
      return work;
    }
    if (is_closing_) return nullptr;
    idle_.push_back(&member);
  }
  wait(member);
  return std::move(member.work);
}

void Crew::serve(Member& member) {
  current() = &member;
  member.id = ::gettid();
  move(member, kAnywhere);
  while (Work work = next(member)) {
    if (member.is_last) add_member();
    ++at_work;
    work();
    --at_work;
  }
  do_put_off();
}

}  // namespace nono::files
