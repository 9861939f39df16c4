// FileTools: the file tools of one sandbox. Each is bound twice, as a method that waits and as one that tells a Notifier.
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "capability/path_resolution.h"
#include "convert.h"
#include "errors.h"
#include "file_values.h"
#include "files/done.h"
#include "files/edit.h"
#include "files/glob.h"
#include "files/grep.h"
#include "files/list.h"
#include "files/read.h"
#include "files/remove.h"
#include "files/write.h"
#include "gil.h"
#include "operation.h"
#include "request.h"

namespace nono::python {
namespace {

using files::Cancelled;
using files::Crew;
using files::Purpose;
using files::Reach;
using Any = nb::handle;

// Python runs its signal handlers on the main thread only, when asked.
constexpr std::chrono::milliseconds kLookForSignals{500};

PyObject* file_error = nullptr;  // nono_py.FileError; set when the module is made

template <class T>
T value_of(files::Expected<T>& found) {
  if (!found) {
    PyErr_SetString(file_error, found.error().code.c_str());
    throw nb::python_error();
  }
  if constexpr (!std::is_void_v<T>) return *std::move(found);
}

// --- values ----------------------------------------------------------------------------------------

template <class N>
nb::object or_none(const std::optional<N>& number) {
  if (!number) return nb::none();
  return nb::int_(*number);
}

std::string utf8(Any value, const char* name) { return to_utf8(value, name); }

std::string bytes_of(Any value) {
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(value.ptr(), &data, &size) != 0) throw nb::python_error();
  return {data, static_cast<std::size_t>(size)};
}

// --- the tools -------------------------------------------------------------------------------------

Operation list_files(Any path, Any shown_as) {
  std::string prefix = to_text(shown_as, "shown_as");
  if (!prefix.ends_with('/')) prefix += '/';
  return operation(
      Purpose::kReads, [path = to_text(path, "path")](Crew& crew, Reach& reach, const Cancelled&) { return files::list_directory(crew, reach, path); },
      [prefix](auto& found) -> nb::object { return entries_of(value_of(found), prefix); });
}

Operation read_file(Any path, Any offset, Any limit, bool binary) {
  // As large as it may be, and below 0 as 0.
  const auto lines = [](Any number) -> std::uint64_t {
    constexpr long long kMost = 1LL << 62;
    int is_out = 0;
    const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &is_out);
    if (value == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
    if (is_out > 0) return kMost;
    return is_out < 0 || value < 0 ? 0 : static_cast<std::uint64_t>(std::min(value, kMost));
  };
  const files::Window window{binary ? files::Kind::kBinary : files::Kind::kText, lines(offset), lines(limit)};
  return operation(
      Purpose::kReads,
      [path = to_text(path, "path"), window](Crew&, Reach& reach, const Cancelled&) { return files::read_page(reach, path, window); },
      [](auto& found) -> nb::object { return nb::cast(value_of(found)); });
}

Operation write_file(Any path, Any content, bool replace) {
  const auto existing = replace ? files::Existing::kIsReplaced : files::Existing::kIsRefused;
  return operation(
      Purpose::kChanges,
      [path = to_text(path, "path"), content = utf8(content, "content"), existing](Crew&, Reach& reach, const Cancelled&) {
        return files::write_file(reach, path, content, existing);
      },
      [](auto& found) -> nb::object {
        value_of(found);
        return nb::none();
      });
}

Operation edit_file(Any path, Any old_text, Any new_text, bool replace_all) {
  const auto which = replace_all ? files::Occurrences::kAll : files::Occurrences::kOne;
  std::string wanted = utf8(old_text, "old");
  if (wanted.empty()) raise(PyExc_ValueError, "old must not be empty");
  return operation(
      Purpose::kChanges,
      [path = to_text(path, "path"), wanted = std::move(wanted), text = utf8(new_text, "new"), which](Crew&, Reach& reach, const Cancelled&) {
        return files::edit_file(reach, path, wanted, text, which);
      },
      [](auto& found) -> nb::object { return nb::int_(value_of(found)); });
}

Operation delete_path(Any path) {
  return operation(
      Purpose::kChanges, [path = to_text(path, "path")](Crew&, Reach& reach, const Cancelled&) { return files::remove_tree(reach, path); },
      [](auto& found) -> nb::object {
        value_of(found);
        return nb::none();
      });
}

Operation glob_files(Any pattern, Any path, Any shown_as, bool top_level, bool directories) {
  std::string prefix = to_text(shown_as, "shown_as");
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  files::GlobQuery query{utf8(pattern, "pattern"), top_level ? files::Depth::kTop : files::Depth::kAny,
                         directories ? files::Kinds::kAll : files::Kinds::kFiles};
  return operation(
      Purpose::kReads,
      [path = to_text(path, "path"), query = std::move(query)](Crew& crew, Reach& reach, const Cancelled& cancelled) {
        return files::glob(crew, reach, path, query, cancelled);
      },
      [prefix](auto& found) -> nb::object {
        const files::Globbed globbed = value_of(found);
        const nb::list matches = entries_of(globbed.matches, prefix);
        switch (globbed.incomplete) {
          case files::Incomplete::kBudget: return nb::make_tuple(matches, "budget");
          case files::Incomplete::kUnreadable: return nb::make_tuple(matches, "unreadable");
          case files::Incomplete::kNo: break;
        }
        return nb::make_tuple(matches, nb::none());
      });
}

Operation grep_files(Any pattern, Any path, Any shown_as, Any glob, Any max_count, Any skip) {
  files::GrepQuery query{.pattern = utf8(pattern, "pattern")};
  if (!glob.is_none()) query.glob = utf8(glob, "glob");
  query.max_count = to_optional_integer<std::uint64_t>(max_count);
  query.skipped = to_texts(skip, "skip");
  std::string searched = to_text(shown_as, "shown_as");
  std::string prefix = searched.ends_with('/') ? searched : searched + '/';
  return operation(
      Purpose::kReads,
      [path = to_text(path, "path"), query = std::move(query)](Crew& crew, Reach& reach, const Cancelled& cancelled) {
        return files::grep(crew, reach, path, query, cancelled);
      },
      [prefix, searched](auto& found) -> nb::object { return matches_of(value_of(found), prefix, searched); });
}

Operation upload(Any items) {
  std::vector<std::pair<std::string, std::string>> contents;
  for (Any item : nb::borrow<nb::iterable>(items)) {
    const auto pair = nb::cast<nb::tuple>(item);
    if (pair.size() != 2) raise(PyExc_ValueError, "files must be pairs of a path and bytes");
    contents.emplace_back(to_text(pair[0], "path"), bytes_of(pair[1]));
  }
  return operation(
      Purpose::kChanges,
      [contents = std::move(contents)](Crew&, Reach& reach, const Cancelled&) {
        std::vector<files::Expected<void>> results;
        for (const auto& [path, content] : contents) results.push_back(files::write_file(reach, path, content, files::Existing::kIsReplaced));
        return results;
      },
      [](auto& found) -> nb::object {
        nb::list codes;
        for (const auto& result : found) codes.append(result ? nb::none() : nb::object(to_str(result.error().code)));
        return codes;
      });
}

Operation download(Any paths) {
  return operation(
      Purpose::kReads,
      [paths = to_texts(paths, "paths")](Crew&, Reach& reach, const Cancelled&) {
        std::vector<files::Expected<std::string>> results;
        for (const std::string& path : paths) results.push_back(files::read_all(reach, path));
        return results;
      },
      [](auto& found) -> nb::object {
        nb::list contents;
        for (const auto& result : found) {
          contents.append(result ? nb::object(to_bytes(*result)) : nb::object(to_str(result.error().code)));
        }
        return contents;
      });
}

// --- the class -------------------------------------------------------------------------------------

// Tells event loops which operations of these tools have ended.
struct Notifier {
  std::shared_ptr<files::Ended> ended;
};

// An operation that an event loop waits for. One that nobody waits for any more is ended as soon as it looks up.
class Ticket {
 public:
  Ticket(std::shared_ptr<files::Tools> tools, Operation operation) : tools_(std::move(tools)), operation_(std::move(operation)) {}
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = delete;
  ~Ticket() {
    if (!tools_) return;
    cancel();
    const WithoutGil no_gil;
    tools_.reset();
  }

  void cancel() const { *operation_.cancelled = true; }
  nb::object result() const { return operation_.finish(); }

 private:
  std::shared_ptr<files::Tools> tools_;
  Operation operation_;
};

class FileTools {
 public:
  FileTools(const capability::CapabilitySet& caps, Any isolation) {
    const nb::object none = nb::none();
    const plan::Options options = plan_options({.env = none,
                                                .max_processes = none,
                                                .max_cpu_seconds = none,
                                                .max_file_size_bytes = none,
                                                .max_open_files = none,
                                                .uid = none,
                                                .gid = none,
                                                .enforcement_mode = nb::str("auto"),
                                                .max_memory_bytes = none,
                                                .isolation = isolation});
    tools_ = take(files::Tools::of(caps, options));
  }
  FileTools(FileTools&&) = default;
  FileTools& operator=(FileTools&&) = delete;
  ~FileTools() { close(); }

  void close() {
    if (!tools_) return;
    auto tools = std::move(tools_);
    const WithoutGil no_gil;
    tools.reset();
  }

  nb::object run(Operation operation) const {
    const auto tools = open();
    const auto done = std::make_shared<files::Done>();
    std::optional<nb::python_error> raised;
    Status started;
    {
      WithoutGil no_gil;
      started = tools->start(operation.purpose, [&operation, done](Crew& crew, Reach& reach) {
        operation.tool(crew, reach);
        done->tell();
      });
      if (started) wait_for(*done, operation.cancelled, no_gil, raised);
    }
    if (raised) throw nb::python_error(*std::move(raised));
    check(started);
    return operation.finish();
  }

  // `number` is told to the notifier when it has ended.
  Ticket start(std::uint64_t number, Operation operation) const {
    auto tools = open();
    check(tools->start(operation.purpose, [tool = operation.tool, number](Crew& crew, Reach& reach) {
      tool(crew, reach);
      crew.ended()->tell(number);
    }));
    return {std::move(tools), std::move(operation)};
  }

  [[nodiscard]] Notifier notifier() const { return {take(open()->ended())}; }

 private:
  [[nodiscard]] std::shared_ptr<files::Tools> open() const {
    if (!tools_) raise(PyExc_RuntimeError, "the file tools are closed");
    return tools_;
  }

  // A Python signal handler that raises ends a search as well, and `raised` takes its exception.
  static void wait_for(files::Done& done, const Cancelled& cancelled, WithoutGil& no_gil, std::optional<nb::python_error>& raised) {
    while (!done.wait(kLookForSignals)) {
      if (raised || ::gettid() != ::getpid()) continue;
      no_gil.interrupt([&] {
        if (PyErr_CheckSignals() == 0) return;
        raised.emplace();
        *cancelled = true;
      });
    }
  }

  std::shared_ptr<files::Tools> tools_;
};

template <class... Arguments, class... Extra>
void def_tool(nb::class_<FileTools>& tools, const char* name, const char* start_name, Operation (*make)(Arguments...), const Extra&... extra) {
  tools.def(
      name, [make](const FileTools& self, Arguments... arguments) { return self.run(make(arguments...)); }, extra...);
  tools.def(
      start_name,
      [make](const FileTools& self, std::uint64_t number, Arguments... arguments) { return self.start(number, make(arguments...)); },
      nb::arg("number"), extra...);
}

}  // namespace

void bind_file_tools(nb::module_& module) {
  file_error = PyErr_NewExceptionWithDoc("nono_py.FileError", "A file tool did not do what it was asked for; the message is a code or a sentence.", nullptr, nullptr);
  module.attr("FileError") = nb::borrow(file_error);

  nb::class_<files::Page>(module, "FilePage", nb::is_final())
      .def_prop_ro("content",
                   [](const files::Page& page) -> nb::object {
                     if (page.is_text) return shown(page.content);
                     return to_bytes(page.content);
                   })
      .def_ro("is_empty_file", &files::Page::is_empty_file)
      .def_ro("no_lines_requested", &files::Page::no_lines_requested)
      .def_ro("start_line", &files::Page::start_line)
      .def_ro("end_line", &files::Page::end_line)
      .def_prop_ro("total_lines", [](const files::Page& page) { return or_none(page.total_lines); })
      .def_prop_ro("next_offset", [](const files::Page& page) { return or_none(page.next_offset); });

  nb::class_<Notifier>(module, "_Notifier", nb::is_final())
      .def("fileno", [](const Notifier& self) { return self.ended->descriptor(); })
      .def("take", [](const Notifier& self) {
        nb::list numbers;
        for (const std::uint64_t number : self.ended->take()) numbers.append(nb::int_(number));
        return numbers;
      });

  nb::class_<Ticket>(module, "_Ticket", nb::is_final())
      .def("cancel", &Ticket::cancel)
      .def("result", &Ticket::result);

  nb::class_<FileTools> tools(module, "_FileTools");
  tools.def(nb::init<const capability::CapabilitySet&, Any>(), nb::arg("caps"), nb::kw_only(), nb::arg("isolation") = "auto");
  tools.def("close", &FileTools::close);
  tools.def("_notifier", &FileTools::notifier);
  tools.def_static(
      "canonical", [](Any path) { return to_str(capability::canonicalize_existing_part(to_text(path, "path"))); }, nb::arg("path"));
  def_tool(tools, "ls", "_start_ls", &list_files, nb::arg("path"), nb::arg("shown_as"));
  def_tool(tools, "read", "_start_read", &read_file, nb::arg("path"), nb::arg("offset") = 0, nb::arg("limit") = 2000, nb::arg("binary") = false);
  def_tool(tools, "write", "_start_write", &write_file, nb::arg("path"), nb::arg("content"), nb::arg("replace") = true);
  def_tool(tools, "edit", "_start_edit", &edit_file, nb::arg("path"), nb::arg("old"), nb::arg("new"), nb::arg("replace_all") = false);
  def_tool(tools, "delete", "_start_delete", &delete_path, nb::arg("path"));
  def_tool(tools, "glob", "_start_glob", &glob_files, nb::arg("pattern"), nb::arg("path"), nb::arg("shown_as"), nb::arg("top_level") = false,
           nb::arg("directories") = false);
  def_tool(tools, "grep", "_start_grep", &grep_files, nb::arg("pattern"), nb::arg("path"), nb::arg("shown_as"), nb::arg("glob").none() = nb::none(),
           nb::arg("max_count").none() = nb::none(), nb::arg("skip") = nb::make_tuple());
  def_tool(tools, "upload", "_start_upload", &upload, nb::arg("files"));
  def_tool(tools, "download", "_start_download", &download, nb::arg("paths"));
}

}  // namespace nono::python
