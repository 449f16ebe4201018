# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT
"""The modules with a program under them that prints what it is given. In an installed collection:
python3 -m unittest discover tests/unit/plugins/modules"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import importlib
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest

COLLECTION = pathlib.Path(__file__).resolve().parents[4]
sys.path.insert(0, str(COLLECTION.parents[2]))

from ansible.module_utils import basic  # noqa: E402

PROGRAM = """#!/bin/sh
[ "$1" != --version ] || { echo "$VERSION"; exit; }
printf '%s\\n' "$*" >>"$0.arguments"
cat "$0.$2" 2>/dev/null || cat "$0.output"
echo "$ERRORS" >&2
exit $STATUS
"""


class Modules(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.program = pathlib.Path(directory.name, "postkick")
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)
        self.prints([])

    def prints(self, rows, status=0, errors="", version="postkick 1.0.0"):
        """What the program does from now on."""
        self.beside("output", rows)
        os.environ.update(STATUS=str(status), ERRORS=errors, VERSION=version)

    def beside(self, name, rows):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        pathlib.Path("%s.%s" % (self.program, name)).write_text(text)

    def run_module(self, name, check=False, **arguments):
        """Whether it fails, and what it returns."""
        arguments.setdefault("executable", str(self.program))
        arguments["_ansible_check_mode"] = check
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        basic._ANSIBLE_PROFILE = "legacy"  # from ansible-core 2.19 on
        module = importlib.import_module("ansible_collections.postkick.postfix.plugins.modules." + name)
        output = io.StringIO()
        with contextlib.redirect_stdout(output), self.assertRaises(SystemExit) as ended:
            module.main()
        result = json.loads(output.getvalue())
        self.assertEqual(bool(ended.exception.code), result.get("failed", False))
        return result.get("failed", False), result

    def asked(self):
        """The command lines that the program was run with."""
        return pathlib.Path("%s.arguments" % self.program).read_text().splitlines()

    def test_instances_are_reloaded_or_restarted(self):
        row = dict(config_directory="/etc/postfix", exit_status=0, status="ok", reason="")
        off = dict(row, config_directory="/etc/off", exit_status=-1, status="disabled", reason="not enabled")
        self.prints([row, off])
        failed, result = self.run_module("postkick_instance", state="reloaded", group=["out"])
        self.assertEqual((failed, result["changed"], result["msg"]),
                         (False, True, "1 of 1 instances reloaded"))
        bad = dict(row, config_directory="/etc/bad", exit_status=1, status="failed", reason="does not respond")
        untouched = dict(bad, config_directory="/etc/later", exit_status=-1, reason="not restarted")
        self.prints([row, bad, untouched], status=1)
        failed, result = self.run_module("postkick_instance", state="restarted", timeout="5m")
        self.assertEqual((failed, result["changed"], result["msg"]), (
            True, True, "1 of 3 instances restarted; /etc/bad: does not respond; /etc/later: not restarted"))
        self.prints([untouched], status=1)
        self.assertFalse(self.run_module("postkick_instance", state="restarted")[1]["changed"])
        self.prints([dict(row, exit_status=-1, status="planned")])
        failed, result = self.run_module("postkick_instance", check=True, state="reloaded")
        self.assertEqual((failed, result["changed"], result["msg"]),
                         (False, True, "1 of 1 instances would be reloaded"))
        self.assertEqual(self.asked(), [
            "--json --postfix --group out reload",
            "--json --postfix --timeout 5m restart",
            "--json --postfix restart",
            "--json --postfix --dry-run reload",
        ])

    def test_info_returns_plain_values(self):
        row = dict(config_directory="/etc/postfix", status="ok", state="ok", conflicts=[])
        queues = dict(deferred=dict(messages=4014, bytes=1, oldest=2))
        other = dict(row, config_directory="/etc/other")
        self.beside("--queues", [dict(other, queues=None), dict(row, queues=queues, messages=4014)])
        self.prints([row, other])
        failed, result = self.run_module("postkick_info")
        self.assertEqual((failed, result["changed"], result["ok"], result["version"]),
                         (False, False, True, "1.0.0"))
        self.assertEqual([each["queues"] for each in result["instances"]], [queues, None])
        self.assertNotIn("ansible_facts", result)
        self.prints([dict(row, status="failed")], status=1)
        failed, result = self.run_module("postkick_info", queues=False)
        self.assertEqual((failed, result["ok"]), (False, False))
        self.assertNotIn("queues", result["instances"][0])
        self.assertNotIn("ok", self.run_module("postkick_info", status=False)[1])
        self.assertIn("--json --list", self.asked()[-2])

    def test_a_program_that_is_not_there_or_another_one(self):
        for name in ("postkick", "postkick_info", "postkick_instance", "postkick_messages"):
            arguments = dict(postkick=dict(action="flush"), postkick_info={},
                             postkick_instance=dict(state="reloaded"),
                             postkick_messages=dict(verb="hold", all=True))[name]
            self.prints([], status=1, version="postkick: fatal: usage: postkick [-c config_dir] ...")
            self.assertEqual(self.run_module(name, **arguments)[1]["msg"], "%s is not this postkick but "
                             "another program, such as Postfix's own" % self.program)
            self.prints([], status=1, version="postkick 0.9.1")
            self.assertEqual(self.run_module(name, **arguments)[1]["msg"],
                             "%s is version 0.9.1; at least 1.0.0 is needed" % self.program)
            self.prints([], status=1, errors="postkick: warning: x\npostkick: fatal: No matching instances")
            self.assertEqual(self.run_module(name, **arguments)[1]["msg"],
                             "postkick: fatal: No matching instances")
            arguments["executable"] = "/nosuch"
            self.assertEqual(self.run_module(name, **arguments)[1]["msg"],
                             "/nosuch: no such program on this host")
            arguments["executable"] = "postkick-nosuch"
            self.assertEqual(self.run_module(name, **arguments)[1]["msg"],
                             "postkick-nosuch is not installed on this host")

    def test_a_task_with_a_mistake_has_one_clear_error(self):
        for name, arguments, error in (
                ("postkick", dict(action="flush", limit=3), "module: limit. Supported parameters include: action, all,"),
                ("postkick", {}, "one of the following is required: action, class"),
                ("postkick", {"class": "public", "service": "qmgr"},
                 "parameters are required together: class, service, request"),
                ("postkick", dict(action="flush", group=["a"], config_directory="/etc/postfix"),
                 "parameters are mutually exclusive: config_directory|group"),
                ("postkick_messages", dict(verb="hold", ids=["4TzQ5d0Kx1z9rW"], all=True),
                 "parameters are mutually exclusive: ids|all"),
                ("postkick_instance", dict(state="stopped"), "value of state must be one of: reloaded, restarted")):
            failed, result = self.run_module(name, **arguments)
            self.assertTrue(failed)
            self.assertIn(error, result["msg"])
        self.assertFalse(pathlib.Path("%s.arguments" % self.program).exists())


if __name__ == "__main__":
    unittest.main()
