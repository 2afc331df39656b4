"""Prints "PASSED FAILED" for a JUnit report written by ctest."""
import sys
import xml.etree.ElementTree as tree


def main() -> int:
    suite = tree.parse(sys.argv[1]).getroot()
    failed = sum(1 for case in suite.iter("testcase") if case.get("status") != "run")
    total = sum(1 for _ in suite.iter("testcase"))
    print(total - failed, failed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
