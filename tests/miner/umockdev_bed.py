"""Runs a program that sees umockdev's devices, and changes them when told. For Debian's own python3, which has gi.

`/usr/bin/python3 umockdev_bed.py PROGRAM ...`: each line on stdin is JSON, {"plug": TEXT} (in umockdev's words) or
{"unplug": SYSFS_PATH}; what the program writes goes to stdout. It ends with its stdin.
Source: https://github.com/martinpitt/umockdev
"""

import json
import subprocess
import sys

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # noqa: E402

testbed = UMockdev.Testbed.new()
testbed.add_from_string(
    "P: /devices/pci0000:00/usb1\nN: bus/usb/001/001\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nE: BUSNUM=001\n"
    "E: DEVNUM=001\nA: idVendor=1d6b\\n\nA: idProduct=0002\\n\nA: busnum=1\\n\nA: devnum=1\\n\n\n"
)
child = subprocess.Popen(sys.argv[1:])
for line in sys.stdin:
    given = json.loads(line)
    if "plug" in given:
        testbed.add_from_string(given["plug"])
        testbed.uevent("/sys" + given["path"], "add")
    else:
        testbed.uevent("/sys" + given["path"], "remove")
        testbed.remove_device("/sys" + given["path"])
child.terminate()
child.wait(10)
