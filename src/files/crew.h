// Crew: threads of this process that Landlock confines as it does the sandbox's commands, for as long as they live; the
// file tools run on them. There is always one to spare, up to a bound, and none before there is work.
//
// They have a table of descriptors of their own. In one shared with the host, closing a file that the host has locked
// (fcntl, as SQLite does) would let go of its lock. So no descriptor passes between them but those that Crew says.
//
// Any thread of the host may give work. Destroying it waits for the work that is being done; what has not begun is dropped,
// so whoever waits for that keeps the crew. In a fork of the process a crew has no threads, and can be neither used nor
// destroyed: let go of it and make another one (is_ours).
#pragma once

#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "files/ended.h"
#include "plan/plan.h"

namespace nono::files {

class Crew {
 public:
  // Errors: kSandboxInit, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Crew>> of(const plan::Plan& plan);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  using Work = std::function<void()>;
  // Work that the caller waits for begins on the caller's processor: to wake another one that sleeps takes many times as
  // long as most of it. False: no thread can be had, or confined, and `work` will not run.
  [[nodiscard]] bool give(Work work);
  // The same for work that nobody waits for, on any processor.
  [[nodiscard]] bool give_anywhere(Work work) { return give(std::move(work), kAnywhere); }
  // For one of the crew's threads: the same if fewer of this process's crews' threads have work than there are processors. Else it
  // will not run. Whoever was of help (true) looks out for more before it sleeps.
  void offer(std::function<bool()> help);
  // For one of the crew's threads: work that waits until a thread has had nothing to do for a second, there is much of it, or
  // the crew ends.
  void put_off(Work work);

  // `work` on the calling thread, which is one of the crew's, and on others that are free, on any processor; returns when
  // all have ended.
  void share(const Work& work);

  [[nodiscard]] bool is_ours() const { return process_ == ::getpid(); }
  [[nodiscard]] const std::shared_ptr<Ended>& ended() const { return ended_; }

 private:
  // Instead of a processor's number.
  static constexpr int kAnywhere = -1;
  static constexpr int kInherited = -2;  // as the thread that made it

  struct Member {
    std::thread thread;
    pid_t id = 0;
    int processor = kInherited;  // the only one that it may use
    Work work;                   // set before `wake`
    bool is_last = false;        // nobody is left to spare: it makes another one before it begins
    bool was_of_help = false;    // for the thread itself
    std::binary_semaphore wake{0};
  };

  Crew(Fd ruleset, Fd event, std::optional<std::uint64_t> kept_capabilities);
  [[nodiscard]] bool give(Work work, int processor);
  [[nodiscard]] bool found();
  Member& take_idle(int processor);
  void start(Member& member, Work work, int processor) const;
  void add_member();
  void move(Member& member, int processor) const;
  void serve(Member& member);
  Work next(Member& member);
  void wait(Member& member);
  void do_put_off();
  static Member*& current();  // the calling thread, if it is one of a crew's

  const Fd ruleset_;  // in both tables, as `ended_`'s
  const std::shared_ptr<Ended> ended_;
  const std::optional<std::uint64_t> kept_capabilities_;
  const pid_t process_;
  cpu_set_t processors_{};

  std::mutex mutex_;
  std::vector<std::unique_ptr<Member>> members_;  // under the mutex, as all below
  std::vector<Member*> idle_;                     // the last one was busy last
  std::deque<Work> waiting_;
  std::deque<Work> put_off_;
  bool is_closing_ = false;
};

}  // namespace nono::files
