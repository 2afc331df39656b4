"""bench/proxy/profiles.py: what is read from callgrind's and perf's files, and what is drawn of it."""
import unittest
import xml.dom.minidom

import flame
import profiles

CALLGRIND = """version: 1
events: Ir
ob=(1) /bin/sluice
fl=(1) session.cc
fn=(1) sluice::dataplane::HttpSession::begin(int)
10 5
cob=(2) /usr/lib/libhs.so.5.4.0
cfn=(2) hs_scan
calls=3 0
11 900
+1 7
cfn=(3) operator new(unsigned long)
calls=2 0
12 40
ob=(2)
fn=(2)
0 300
fn=(4) sluice::parsers::http1::decode(char const*)
0 11
totals: 363
"""

PERF = """worker-0
\tffff81 tcp_sendmsg ([kernel.kallsyms])
\t55a0 sluice::dataplane::Loop::turn (/bin/sluice)
\t7f00 [unknown] ([unknown])

worker-0
\t55a0 sluice::dataplane::Loop::turn (/bin/sluice)
"""


class Callgrind(unittest.TestCase):
    def setUp(self):
        self.profile = profiles.Callgrind(CALLGRIND)

    def test_own_instructions_go_to_rooms_and_libraries_and_costs_of_calls_to_nobody(self):
        self.assertEqual(dict(self.profile.by_room()), {"dataplane": 12, "libhs": 300, "http1": 11})

    def test_calls_are_counted_for_the_called(self):
        self.assertEqual([entry[1:] for entry in self.profile.functions()], [(300, 3), (12, 0), (11, 0)])

    def test_allocations_are_named_by_who_asks_for_them(self):
        self.assertEqual(self.profile.allocations(), [("dataplane::HttpSession::begin(int)", 2)])


class Rooms(unittest.TestCase):
    def test_are_named_by_namespace_else_by_library(self):
        for function, library, room in (
                ("sluice::matcher::scan(sluice::audit::Ring&)", "/bin/sluice", "matcher"),
                ("sluice::parsers::http1::decode()", "/bin/sluice", "http1"),
                ("sluice::dataplane::begin(sluice::parsers::http1::Request const&)", "/bin/sluice", "dataplane"),
                ("__memcpy_avx_unaligned", "/usr/lib/libc.so.6", "libc"),
                ("_start", "/bin/sluice", "other")):
            self.assertEqual(profiles.room_of(function, library), room)


class FoldedStacks(unittest.TestCase):
    def test_are_outermost_first_with_the_thread_before_and_the_kernel_marked(self):
        self.assertEqual(dict(profiles.folded_stacks(PERF)), {
            ("worker-0", "dataplane::Loop::turn", "tcp_sendmsg_[k]"): 1,
            ("worker-0", "dataplane::Loop::turn"): 1})

    def test_of_nothing_are_none(self):
        self.assertFalse(profiles.folded_stacks(""))


class Flame(unittest.TestCase):
    def test_is_xml_with_a_box_for_each_frame(self):
        drawn = flame.svg(profiles.folded_stacks(PERF), "a <title>")
        self.assertEqual(len(xml.dom.minidom.parseString(drawn).getElementsByTagName("title")), 3)
        self.assertIn("tcp_sendmsg_[k]: 50.00%", drawn)


if __name__ == "__main__":
    unittest.main()
