// The prose of --help. What each option does is said where the option is made (args.cc).
#pragma once

namespace nono::cli {

inline constexpr const char* kHelp =
    "nono runs a command that can reach only what you grant; the kernel refuses the rest.\n"
    "No container, no daemon, no image, no root.\n"
    "\n"
    "Usage: nono COMMAND [OPTIONS]\n"
    "\n"
    "  run      run a command in a sandbox\n"
    "  why      would a sandbox allow this, and which grant decides?\n"
    "  setup    what can this kernel enforce?\n"
    "\n"
    "  nono COMMAND --help says more; nono --version\n"
    "\n"
    "Example:\n"
    "  nono run --allow . --block-net -- make test\n";

inline constexpr const char* kRunText =
    "Runs a command that can reach only what is granted here; the kernel refuses the rest.\n"
    "Its whole process tree ends with it.";
inline constexpr const char* kRunExamples =
    "Examples:\n"
    "  nono run --allow . -- make test                 work in this directory, and nowhere else\n"
    "  nono run --read . --block-net -- ./script.sh    read this directory, no network at all\n"
    "  nono run --allow . --env CI=1 --timeout 60 --memory 2G -- npm test\n"
    "  nono run --allow . --dry-run -- make            show what would be enforced; run nothing\n"
    "\n"
    "Exit status: the command's own; 128+n when signal n killed it; 124 when its time was up; 126\n"
    "when the sandbox could not be made, 127 when the command could not be started; 2 for a wrong\n"
    "command line.";
inline constexpr const char* kWhyText =
    "Says whether a sandbox with these grants could do something, and which grant decides.\n"
    "Reads the same plan that `nono run` enforces. Exit status: 0 allowed, 1 denied.";
inline constexpr const char* kWhyExamples =
    "Examples:\n"
    "  nono why --read . --path ./src/main.c --op write\n"
    "  nono why --allow-connect 443 --host example.com --port 80\n"
    "  nono why --unix-socket /run/postgresql/.s.PGSQL.5432";
inline constexpr const char* kSetupText =
    "Says what this kernel can enforce, and what a newer one would add. Changes nothing.\n"
    "Exit status: 0 when a sandbox can be made here, 1 when not.";
inline constexpr const char* kSetupExamples = "Example:\n  nono setup --check-only";

}  // namespace nono::cli
