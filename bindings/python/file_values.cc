#include "file_values.h"

#include <algorithm>
#include <cstddef>
#include <ctime>

namespace nono::python {
namespace {

void set(const nb::dict& item, const nb::str& key, const nb::object& value) {
  if (!value.is_valid() || PyDict_SetItem(item.ptr(), key.ptr(), value.ptr()) != 0) throw nb::python_error();
}

// ISO 8601 with microseconds. Files of a directory are mostly of few days.
class Utc {
 public:
  nb::object operator()(const timespec& time) {
    constexpr std::time_t kDay = 86400;
    constexpr std::time_t kFirst = -62'135'596'800;  // the first second of year 1, and the last of 9999: a file may be given
    constexpr std::time_t kLast = 253'402'300'799;   // others, which Python does not know
    const std::time_t known = std::clamp(std::time_t{time.tv_sec}, kFirst, kLast);
    const std::time_t second = (known % kDay + kDay) % kDay;
    if (const std::time_t midnight = known - second; midnight != midnight_) {
      std::tm parts{};
      ::gmtime_r(&midnight, &parts);
      put(0, 4, parts.tm_year + 1900);
      put(5, 2, parts.tm_mon + 1);
      put(8, 2, parts.tm_mday);
      midnight_ = midnight;
    }
    put(11, 2, second / 3600);
    put(14, 2, second / 60 % 60);
    put(17, 2, second % 60);
    put(20, 6, time.tv_nsec / 1000);
    return shown(text_);
  }

 private:
  void put(std::size_t at, std::size_t digits, long number) {
    for (std::size_t i = at + digits; i-- > at; number /= 10) text_[i] = static_cast<char>('0' + number % 10);
  }
  std::time_t midnight_ = -1;  // none is that
  std::string text_ = "yyyy-mm-ddThh:mm:ss.uuuuuu+00:00";
};

}  // namespace

nb::object shown(std::string_view text) {
  return nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

nb::list entries_of(const std::vector<files::Entry>& entries, const std::string& prefix) {
  const nb::str path("path");
  const nb::str is_dir("is_dir");
  const nb::str size("size");
  const nb::str modified_at("modified_at");
  Utc utc;
  std::string full = prefix;
  nb::list list;
  for (const files::Entry& entry : entries) {
    full.resize(prefix.size());
    const nb::dict item;
    set(item, path, shown(full += entry.name));
    set(item, is_dir, nb::bool_(entry.is_directory));
    set(item, size, nb::int_(entry.size));
    set(item, modified_at, utc(entry.modified));
    list.append(item);
  }
  return list;
}

nb::object matches_of(const files::Grepped& grepped, const std::string& prefix, const std::string& searched) {
  const nb::str path("path");
  const nb::str line("line");
  const nb::str text("text");
  nb::list list;
  for (const files::MatchedFile& file : grepped.files) {
    const nb::object name = shown(file.name.empty() ? searched : prefix + file.name);
    for (const files::MatchedLine& match : file.lines) {
      nb::dict item;
      set(item, path, name);
      set(item, line, nb::int_(match.number));
      set(item, text, shown(match.text));
      list.append(item);
    }
  }
  return nb::make_tuple(list, nb::bool_(grepped.is_cut));
}

}  // namespace nono::python
