// Judge: one waiting call, from what seccomp says of it to its answer. In two steps, for two kinds of thread:
// `prepare` reads what belongs to the waiting thread, which takes the right to trace it; `answer` performs the call,
// on a thread that is confined as the command is. A confined thread may not trace. `open_at_once` is both in one.
#pragma once

#include <linux/seccomp.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <variant>

#include "capability/capability_set.h"
#include "kernel/host_facts.h"
#include "plan/plan.h"
#include "supervise/answer.h"
#include "supervise/decode.h"
#include "supervise/denied_names.h"
#include "supervise/granted_places.h"
#include "supervise/origin.h"
#include "supervise/socket_change.h"

namespace nono::supervise {

// What the judgements of one command need of its plan.
struct Law {
  explicit Law(const plan::Plan& plan);
  kernel::Arch arch;
  Root root;
  capability::GrantList grants;
  DeniedNames names;
  SocketLaw sockets;
};

// A call with all that it means taken from the thread.
struct Prepared {
  Call call;
  Origin first;
  Origin second;
  mode_t umask = 0;
  SocketEnds ends;
};

// The errno of a call that can be refused without looking at anything: what shells (the terminal that a command does
// not have) and the C library (a daemon's cache) try at every start, where no grant is about it.
[[nodiscard]] std::optional<int> refusal_at_once(const plan::Plan& plan, const seccomp_notif& call);

// What the call is, or the errno that answers it.
[[nodiscard]] std::variant<Call, int> decode_call(kernel::Arch arch, const seccomp_notif& call);

// An open that begins in a granted directory and stays there: done by the thread that receives calls, for waking another
// one costs many times what it takes. None: prepare it for others. `still_waits` is asked after all has been read: the
// thread may have ended, and its number be another's.
[[nodiscard]] std::optional<Answer> open_at_once(Law& law, const GrantedPlaces& places, int thread, const Call& call,
                                                 const std::function<bool()>& still_waits);

// Or the errno that answers it. `still_waits` as above.
[[nodiscard]] std::variant<Prepared, int> prepare(const Law& law, int thread, Call call,
                                                  const std::function<bool()>& still_waits);

// Performs the call if the plan allows it. `waiting`: what the answer before held, if that was not the last one.
[[nodiscard]] Answer answer(Law& law, const Prepared& prepared, Fd waiting);

}  // namespace nono::supervise
