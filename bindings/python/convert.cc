#include "convert.h"

#include "base/text.h"
#include "errors.h"

namespace nono::python {
namespace {

[[noreturn]] void raise_type(const char* name, const char* wanted, nb::handle value) {
  raise(PyExc_TypeError, cat("argument '", name, "' must be ", wanted, ", not ", Py_TYPE(value.ptr())->tp_name));
}

nb::object checked(PyObject* made) {
  if (made == nullptr) throw nb::python_error();
  return nb::steal(made);
}

std::string bytes_of(nb::handle bytes) {
  return {PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
}

// A list or tuple with the items of a sequence that is no str.
nb::object sequence(nb::handle value, const char* name, const char* wanted) {
  PyObject* object = value.ptr();
  if (PyUnicode_Check(object) || PyBytes_Check(object) || PySequence_Check(object) == 0) {
    raise_type(name, wanted, value);
  }
  return checked(PySequence_Fast(object, wanted));
}

std::string encode(nb::handle text) { return bytes_of(checked(PyUnicode_EncodeFSDefault(text.ptr()))); }

}  // namespace

nb::str to_str(std::string_view text) {
  return nb::borrow<nb::str>(
      checked(PyUnicode_DecodeFSDefaultAndSize(text.data(), static_cast<Py_ssize_t>(text.size()))));
}

nb::bytes to_bytes(std::string_view bytes) { return nb::bytes(bytes.data(), bytes.size()); }

nb::list to_list(const std::vector<std::string>& texts) {
  nb::list list;
  for (const std::string& text : texts) list.append(to_str(text));
  return list;
}

std::string to_text(nb::handle value, const char* name) {
  if (PyUnicode_Check(value.ptr())) return encode(value);
  // bytes would pass PyOS_FSPath; only a path object may be made of them.
  if (PyBytes_Check(value.ptr()) || !nb::hasattr(value.type(), "__fspath__")) {
    raise_type(name, "str or os.PathLike", value);
  }
  const nb::object path = checked(PyOS_FSPath(value.ptr()));
  return PyBytes_Check(path.ptr()) ? bytes_of(path) : encode(path);
}

std::string to_utf8(nb::handle value, const char* name) {
  if (!PyUnicode_Check(value.ptr())) raise_type(name, "str", value);
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (text == nullptr) throw nb::python_error();
  return {text, static_cast<std::size_t>(size)};
}

std::vector<std::string> to_texts(nb::handle value, const char* name) {
  const nb::object items = sequence(value, name, "a sequence of str");
  std::vector<std::string> texts;
  for (const nb::handle item : items) texts.push_back(to_text(item, name));
  return texts;
}

std::vector<std::pair<std::string, std::string>> to_pairs(nb::handle value, const char* name) {
  const nb::object items = sequence(value, name, "a sequence of (str, str) tuples");
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const nb::handle item : items) {
    if (!PyTuple_Check(item.ptr())) raise_type(name, "a sequence of (str, str) tuples", item);
    if (PyTuple_GET_SIZE(item.ptr()) != 2) {
      raise(PyExc_ValueError,
            cat("expected tuple of length 2, but got tuple of length ", PyTuple_GET_SIZE(item.ptr())));
    }
    const nb::handle first(PyTuple_GET_ITEM(item.ptr(), 0));
    const nb::handle second(PyTuple_GET_ITEM(item.ptr(), 1));
    pairs.emplace_back(to_text(first, name), to_text(second, name));
  }
  return pairs;
}

double to_double(nb::handle value) {
  const double number = PyFloat_AsDouble(value.ptr());
  if (number == -1.0 && PyErr_Occurred() != nullptr) throw nb::python_error();
  return number;
}

int to_int(nb::handle value) {
  const nb::object integer = checked(PyNumber_Index(value.ptr()));
  const long number = PyLong_AsLong(integer.ptr());
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) {
    raise(PyExc_OverflowError, "out of range integral type conversion attempted");
  }
  return static_cast<int>(number);
}

std::uint64_t to_unsigned(nb::handle value, std::uint64_t maximum) {
  const nb::object integer = checked(PyNumber_Index(value.ptr()));
  const std::uint64_t number = PyLong_AsUnsignedLongLong(integer.ptr());
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
  if (number > maximum) raise(PyExc_OverflowError, "out of range integral type conversion attempted");
  return number;
}

}  // namespace nono::python
