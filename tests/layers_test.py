"""Does check_layers.py find what it is there to find? Small trees, each with one thing wrong."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_layers  # noqa: E402

TABLE = "base:\nkernel: base\nplan: base kernel\ncli: *\nbindings: *\n"
HEADER = "// Says what it is for.\n#pragma once\n"


class LayersTest(unittest.TestCase):
    def problems(self, files, table=TABLE):
        with tempfile.TemporaryDirectory() as directory:
            checkout = pathlib.Path(directory)
            everything = {"tests/layers.txt": table, "src/base/fd.h": HEADER, "src/kernel/raw.h": HEADER}
            for name, text in (everything | files).items():
                path = checkout / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check_layers.check(checkout)[1]

    def assert_one_problem(self, expected, files, table=TABLE):
        problems = self.problems(files, table)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(expected, problems[0])

    def test_allowed_edges(self):
        self.assertEqual([], self.problems({
            "src/kernel/raw.cc": '#include "kernel/raw.h"\n#include <vector>\n#include "base/fd.h"\n',
            "src/cli/main.cc": '#include "kernel/raw.h"\n',
            "bindings/python/m.cc": '#include <nanobind/nanobind.h>\n#include "local.h"\n#include "base/fd.h"\n',
            "bindings/python/local.h": HEADER,
        }))

    def test_wrong_edge(self):
        self.assert_one_problem("src/base/x.cc:2: base must not include kernel",
                                {"src/base/x.cc": '// x\n#include "kernel/raw.h"\n'})

    def test_wrong_edge_in_angle_brackets(self):
        self.assert_one_problem("base must not include kernel", {"src/base/x.cc": "# include <kernel/raw.h>\n"})

    def test_nothing_includes_the_programs(self):
        self.assert_one_problem("base must not include cli",
                                {"src/base/x.cc": '#include "cli/a.h"\n', "src/cli/a.h": HEADER})

    def test_climbing(self):
        self.assert_one_problem("climbs", {"src/base/x.cc": '#include "../kernel/raw.h"\n'})

    def test_without_folder(self):
        self.assert_one_problem("without its folder", {"src/base/x.cc": '#include "fd.h"\n'})

    def test_no_such_file(self):
        self.assert_one_problem("there is no src/base/gone.h", {"src/kernel/x.cc": '#include "base/gone.h"\n'})

    def test_unknown_folder(self):
        self.assert_one_problem("no line for 'extra'", {"src/extra/x.cc": "int x;\n"})

    def test_circle(self):
        self.assertTrue(self.problems({}, "base: kernel\nkernel: base\n"))

    def test_long_file(self):
        long_text = "int x;\n" * 501
        self.assert_one_problem("501 lines", {"src/base/x.cc": long_text})
        listed = TABLE + "long src/base/x.cc: a table\n"
        self.assertEqual([], self.problems({"src/base/x.cc": long_text}, listed))
        self.assert_one_problem("need not list", {"src/base/x.cc": "int x;\n"}, listed)

    def test_header_without_comment(self):
        self.assert_one_problem("begins with a comment", {"src/base/x.h": "#pragma once\n"})


if __name__ == "__main__":
    unittest.main()
