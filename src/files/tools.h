// Tools: the file tools of one sandbox. What they may do is what its plan says, as for its commands; they take no process.
//
// Any thread may call; the work is done by a crew of confined threads, which is made with the first call and, in a fork of
// the process, anew. Resource. An attacker chooses every argument, and changes the files meanwhile.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "capability/capability_set.h"
#include "files/crew.h"
#include "files/reach.h"
#include "plan/plan.h"

namespace nono::files {

// Whether names are looked up anew that a command may have made since the sandbox was (a repository's config).
enum class Purpose { kReads, kChanges };

class Tools {
 public:
  // Errors: as launch::plan_here: what refuses commands refuses the tools.
  [[nodiscard]] static Result<std::unique_ptr<Tools>> of(const capability::CapabilitySet& capabilities, const plan::Options& options);
  ~Tools();
  Tools(const Tools&) = delete;
  Tools& operator=(const Tools&) = delete;

  // One call, on a thread of the crew. The tool is one of the functions of this folder.
  using Tool = std::function<void(Crew&, Reach&)>;
  // Returns at once; this object has to be there until the tool has ended. Errors: kSandboxInit, kIo: no confined thread can
  // be had, and the tool will not run.
  [[nodiscard]] Status start(Purpose purpose, Tool tool);

  // For a tool that tells an event loop of its end; a fork of the process has another one. Errors: as `start`.
  [[nodiscard]] Result<std::shared_ptr<Ended>> ended();

 private:
  Tools(capability::CapabilitySet capabilities, plan::Plan plan, mode_t umask);
  [[nodiscard]] Result<Crew*> crew();

  const capability::CapabilitySet capabilities_;
  const plan::Plan plan_;
  const mode_t umask_;
  std::atomic<Crew*> crew_{nullptr};  // owned
};

}  // namespace nono::files
