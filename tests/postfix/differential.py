#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare what postkick and Postfix make of generated main.cf files.

usage: differential.py --postkick PATH [--count N] [--seed S] [--first N] [--jobs N] [--keep DIR]

Each file is a function of the seed and its number, so "--seed S --first N --count 1" repeats one.
For each, "postkick -l -j" must give the values that "postconf -x -h" gives, and a reason where
postconf fails or Postfix's own postkick refuses main.cf. Exit status: 0 all agree, 1 they do not,
2 Postfix is not there.

Choices, where Postfix contradicts itself or cannot be followed:
- postconf prints a value with each run of white space (space, tab, CR, LF) as one space, and none
  at either end; the value itself has them all. Ours gives the value.
- Postfix restarts the count of nesting in the operands of a comparison, and so dies of SIGSEGV where an
  operand refers to itself. Ours has one counter, and a reason.
- Postfix's postkick looks up parameters in the order in which it sets them: a reference to one
  that it sets later is empty to it, but not to postconf. Ours follows postconf.
- Postfix's postkick checks parameters that a kick has no use for, ours does not: each file sets
  syslog_name, which otherwise contains $multi_instance_name and must not be empty.
- A value that names an unknown parameter is asked of postconf, and so has its white space changed.
- A relative queue_directory has a reason here. Postfix takes it from where the command runs.
- So has a value that refers to mynetworks, or to myhostname where mydomain may decide it, and main.cf
  does not set that.
"""
import argparse
import codecs
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

SHOWN = ["multi_instance_name", "multi_instance_group", "multi_instance_enable",
         "queue_directory", "data_directory"]
OTHERS = ["application_event_drain_time", "trigger_timeout", "queue_service_name",
          "multi_instance_directories", "import_environment", "alternate_config_directories",
          "command_directory", "config_directory"]
OURS = [b"a", b"b", b"c", b"d", b"e1", b"x_y", b"N0", b"_", b"5"]
UNSET = [b"u", b"nosuch", b"u_5"]
BUILT_IN = [b"myhostname", b"mydomain"] * 4 + [b"mail_version", b"relayhost", b"command_directory",
            b"inet_interfaces", b"compatibility_level", b"mail_owner", b"mail_name", b"setgid_group",
            b"default_database_type", b"smtp_bind_address", b"alias_database", b"mynetworks"]
HOSTNAMES = [b"a.b.c", b"host", b"$u.x", b"${u:z}.d", b"h.$mydomain", b"$mail_name.e", b".", b""]
ODD_NAMES = [b"", b"a-b", b"a.b", b"a b", b"$a", b"\xa0", b"a=b", b"\xc3\xa9", b"a\v", b"(a)"]
PLAIN = [b"x", b"y", b"5", b"05", b"10", b"3.6", b"/q", b"/var/spool", b"yes", b"no", b"word",
         b"-", b"a,b", b" ", b"  ", b"\t", b"$$", b"$$a", b"=", b".", b"Abc", b"\xc3\xa9"]
STRANGE = [b"#", b"?", b":", b"\"", b"\\", b"\xff", b"\xa0", b"\x01", b"\x7f", b"\v", b"\f", b"\r",
           b"\xe2\x82", b"\xed\xa0\x80", b"\xc2\x85", b"level", b"true", b"(", b")", b"{}", b"()"]
BROKEN = [b"$", b"${", b"$(", b"{", b"}", b"${}", b"$ ", b"${a?{", b"$-"]
OPERATORS = [b"==", b"!=", b"<", b"<=", b">=", b">"]
BAD_OPERATORS = [b"=", b"=<", b"===", b"", b"~", b"<>", b"==?", b"level", b"== level"]
COMPARISON = re.compile(rb"}\s*(==|!=|<=?|>=?)\s*{")
NUMBERS = [b"0", b"5", b"05", b"10", b"9", b"9223372036854775807", b"-5", b"+5", b" 5", b"5 ",
           b"9223372036854775808", b"3.6", b"3.10", b"3.6.1", b"", b"3.6.1.2", b"3.", b"1024.1024",
           b"8796093022207", b"8796093022208", b"x", b"$e1", b"$a", b"${N0}"]


class Generator:
    """Writes one main.cf. Most parts are right, so that files with several parts often pass."""

    def __init__(self, seed, number):
        self.random = random.Random(f"{seed}/{number}")
        self.wild = self.random.random() < 0.3
        self.shown = []
        self.built_in = self.random.random() < 0.15

    def rarely(self, share=0.02):
        return self.wild and self.random.random() < share

    def pick(self, items):
        return self.random.choice(items)

    def blank(self):
        if self.rarely():
            return self.pick([b"\v", b"\f", b"\xa0"])
        return self.pick([b"", b"", b"", b" ", b"  ", b"\t", b"\r"])

    def name(self):
        if self.rarely(0.05):
            return self.pick(ODD_NAMES)
        kind = self.random.random()
        if kind < 0.65:
            return self.pick(OURS)
        if kind < 0.80:
            return self.pick(UNSET)
        if kind < 0.95 and self.built_in:
            return self.pick(BUILT_IN)
        return self.pick(self.shown or ["config_directory"]).encode()

    def braced(self, depth):
        return b"{" + self.text(depth - 1) + b"}"

    def branches(self, depth):
        kind = self.random.randrange(7)
        if kind < 2:
            return self.pick([b"?", b":"]) + self.text(depth - 1)
        if kind == 2:
            return self.pick([b"?", b":"]) + self.blank() + self.braced(depth) + self.blank()
        both = b"?" + self.blank() + self.braced(depth) + self.blank() + b":" + self.blank()
        if kind == 3:
            return both + self.text(depth - 1)
        both += self.braced(depth) + self.blank()
        if self.rarely(0.1):
            return both + self.pick([b"x", b":", b"?{x}", b"{x}"])
        return both

    def operand(self, depth):
        if self.random.random() < 0.5:
            return b"{" + self.pick(NUMBERS[:9] + NUMBERS[-3:] if not self.wild else NUMBERS) + b"}"
        return self.braced(depth)

    def comparison(self, depth):
        operator = self.pick(BAD_OPERATORS if self.rarely(0.1) else OPERATORS)
        if self.random.random() < 0.15:
            operator += self.pick([b"levelx", b"LEVEL", b"level_"] if self.rarely(0.2)
                                  else [b"level"])
            sides = [b"{" + self.pick([b"3.6", b"3.10", b"2", b"3.6.1", b"$compatibility_level"]
                                      + (NUMBERS if self.wild else [])) + b"}" for _ in "lr"]
        else:
            sides = [self.operand(depth), self.operand(depth)]
        return (self.blank() + sides[0] + self.blank() + operator + self.blank() + sides[1]
                + self.blank())

    def reference(self, depth):
        opening, closing = self.pick([(b"${", b"}")] * 4 + [(b"$(", b")")])
        kind = self.random.random()
        if kind < 0.25 or depth <= 0:
            return b"$" + self.name()
        if kind < 0.45:
            return opening + self.blank() + self.name() + self.blank() + closing
        if kind < 0.75:
            return (opening + self.blank() + self.name() + self.blank() + self.branches(depth)
                    + closing)
        branches = self.branches(depth) if self.random.random() < 0.8 else b""
        return opening + self.comparison(depth) + branches + closing

    def text(self, depth=3):
        parts = []
        for _ in range(self.pick([0, 1, 1, 1, 2, 3])):
            if self.rarely(0.03):
                parts.append(self.pick(BROKEN))
            elif self.random.random() < 0.1:
                parts.append(self.pick(STRANGE))
            elif depth > 0 and self.random.random() < 0.5:
                parts.append(self.reference(depth))
            else:
                parts.append(self.pick(PLAIN))
        return b"".join(parts)

    def value_of(self, name):
        if name == "multi_instance_enable":
            word = self.pick([b"yes", b"no", b"YES", b"No", b"yEs", b"${a?{yes}:{no}}", b"$d",
                              b"${{$N0}<{$e1}?{yes}:{no}}", b"${u:yes}"])
            return self.text() if self.rarely(0.3) else word
        if name in ("application_event_drain_time", "trigger_timeout"):
            return self.pick([b"5", b"5s", b"2m", b"$e1", b"${u:3h}", b"1d", b"1w", b"5sx"]
                             + ([b"5x", b"0", b"-1", b"", b"5M", b"$u"] if self.wild else []))
        if name == "import_environment":
            return self.pick([b"TZ MAIL_CONFIG", b"A=b, C=d$d", b"", b"x$d"])
        if name in ("queue_service_name", "config_directory", "command_directory"):
            return self.pick([b"qmgr", b"/x", b"$a/y", b"x${a?t}$b", b"a${u:b}"])
        if name in ("queue_directory", "data_directory") and not self.rarely(0.2):
            return b"/" + self.text()
        if name in SHOWN or name in OTHERS:
            return self.text()
        if name == "e1" or name == "N0":
            return self.pick(NUMBERS[:7])
        if name == "d":
            return self.pick([b"yes", b"no"])
        return self.text(2)

    def gap(self):
        """What may stand between two lines without any meaning."""
        return b"".join(self.pick([b"\n", b"#\n", b"# a = b\n", b" \t\n", b"  # x = ${\n", b"\r\n",
                                   b"#$\r\n"]) for _ in range(self.pick([0, 0, 0, 1, 2, 3])))

    def line(self, name):
        text = name.encode() + self.pick([b" = ", b"=", b" =", b"\t=\t", b"= ", b"\n = ", b" =\n "])
        text += self.value_of(name)
        if self.random.random() < 0.3:  # continue it where a blank is
            text = re.sub(rb"(?<!\n)[ \t]",
                          lambda blank: self.pick([b"", b" "]) + b"\n" + self.gap() + blank.group(),
                          text, count=self.pick([1, 2, 3]))
        if self.random.random() < 0.1:
            text = text.replace(b"\n", b"\r\n")
        return text + self.pick([b"", b"", b" ", b"\t \r", b"\v"]) + b"\n"

    def main_cf(self):
        names = SHOWN + [name.decode() for name in OURS] + self.random.sample(OTHERS, 2)
        names = [name for name in names if self.random.random() < 0.8]
        self.shown = [name for name in SHOWN if name in names]
        names += [self.pick(names) for _ in range(self.pick([0, 0, 1, 3]))] if names else []
        self.random.shuffle(names)
        lines = [self.line(name) for name in names]
        if self.random.random() < 0.02:
            lines += [b"a = %s\n" % self.pick([b"$a", b"x$b", b"${{$a}=={x}?{y}:{z}}", b"${a?$a}"])]
        if self.random.random() < 0.02:
            links = self.pick([50, 98, 99, 100, 101])
            lines += [b"p%d = $p%d\n" % (i, i + 1) for i in range(links)]
            lines += [b"queue_directory = $p0\n", b"p%d = /x\n" % links]
        if self.built_in and self.random.random() < 0.5:
            lines.append(b"myhostname = %s\n" % self.pick(HOSTNAMES))
        if self.built_in and self.random.random() < 0.2:
            lines.append(b"mydomain = %s\n" % self.pick([b"x.y", b"$u.z", b"z", b""]))
        lines.insert(self.random.randrange(len(lines) + 1), b"syslog_name = postfix\n")
        if self.rarely(0.05):
            lines.insert(self.random.randrange(len(lines) + 1),
                         self.pick([b"foo\n", b"= x\n", b"foo bar\n", b"\xa0 = x\n"]))
        if self.rarely(0.1):
            lines.insert(0, b" ignored = " + self.text() + b"\n")
        text = self.gap() + b"".join(line + self.gap() for line in lines)
        return text.rstrip(b"\n") if self.random.random() < 0.1 else text


def without_sleep(directory):
    """Postfix sleeps a second before it fails: a library that lets it not, where cc(1) is."""
    library = os.path.join(directory, "nosleep.so")
    source = "unsigned sleep(unsigned s); unsigned sleep(unsigned s) { return s - s; }"
    made = shutil.which("cc") and subprocess.run(
        ["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=source.encode(),
        check=False).returncode == 0
    return {**os.environ, **({"LD_PRELOAD": library} if made else {})}


def run(command, environment):
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def shown(value):
    """Bytes as our JSON has them, white space as postconf prints it."""
    text = value if isinstance(value, str) else value.decode("utf-8", "bytewise")
    return re.sub("[ \t\r\n]+", " ", text).strip(" ")


def refused(status, messages):
    """Why Postfix's own postkick refuses main.cf, or None when it does not."""
    if status < 0:
        return f"signal {-status}"
    fatal = re.search(rb"fatal: (.*)", messages)
    if fatal is None or fatal[1].startswith(b"chdir "):
        return None
    return fatal[1].decode("latin-1")


def differences(main_cf, ours, our_messages, postconf, postkick):
    """A list of texts; empty when all is well."""
    try:
        row = json.loads(ours)
    except ValueError as error:
        return [f"no JSON: {error}: {ours!r} {our_messages!r}"]
    reason = row["reason"]
    status, output, messages = postconf
    if status != 0:
        return [] if reason else [f"no reason, but postconf: {messages[-200:]!r}"]
    values = dict(zip(SHOWN, map(shown, output.split(b"\n"))))
    refusal = refused(postkick[0], postkick[2])
    enabled = {"yes": "y", "no": "n"}.get(values["multi_instance_enable"].lower())
    contradicts = refusal and (any(name in main_cf for name in BUILT_IN) or (
        enabled and "multi_instance_enable" in refusal and any(name in main_cf for name in UNSET)))
    if refusal and not contradicts:
        return [] if reason else [f"no reason, but postkick: {refusal}"]
    if reason and b"unreasonable macro call nesting" in our_messages and COMPARISON.search(main_cf):
        return []  # one counter
    empty = re.match("bad string length 0 < 1: (queue_directory|data_directory) = $", reason)
    if empty and not values[empty[1]]:
        return []
    relative = re.match("queue_directory is not an absolute path: ([^/].{0,40})", reason, re.DOTALL)
    if relative and values["queue_directory"].startswith(shown(relative[1])):
        return []
    computed = re.match("a value refers to (myhostname|mynetworks), which Postfix computes", reason)
    if computed and not re.search(rb"(?m)^%s\b" % computed[1].encode(), main_cf) and (
            computed[1] == "mynetworks" or re.search(rb"(?m)^mydomain\b", main_cf)):
        return []
    if reason and contradicts:
        return []  # Postfix's postkick gives up there
    if reason:
        return [f"reason: {reason} {our_messages!r}"]
    expected = [("name", values["multi_instance_name"] or "-"),
                ("group", values["multi_instance_group"] or "-"), ("enabled", enabled),
                ("queue_directory", values["queue_directory"]),
                ("data_directory", values["data_directory"])]
    return [f"{member}: {row[member]!r}, Postfix: {value!r}" for member, value in expected
            if (shown(row[member]) or ("-" if member in ("name", "group") else "")) != value]


def check(number, options, directory, environment):
    instance = os.path.join(directory, str(number))
    os.mkdir(instance)
    main_cf = Generator(options.seed, number).main_cf()
    for name, text in (("main.cf", main_cf), ("master.cf", b"")):
        path = os.path.join(instance, name)
        with open(path, "wb") as file:
            file.write(text)
        os.utime(path, (1e9, 1e9))  # Postfix waits when a file is younger than a second
    ours = run([options.postkick, "-l", "-j", "-c", instance, "-f", options.settings], os.environ)
    postconf = run(["postconf", "-c", instance, "-x", "-h"] + SHOWN, environment)
    postkick = run(["postkick", "-c", instance, "public", "nosuch", "x"], environment)
    found = differences(main_cf, ours[1], ours[2], postconf, postkick)
    if ours[0] not in (0, 1) or b"Sanitizer" in ours[2]:
        found.append(f"exit status {ours[0]} {ours[2]!r}")
    if found and options.keep:
        shutil.copytree(instance, os.path.join(options.keep, f"{options.seed}-{number}"),
                        dirs_exist_ok=True)
    shutil.rmtree(instance)
    return number, found, postconf[0] != 0 or refused(postkick[0], postkick[2]) is not None


def own_settings(directory):
    """A postkick.ini with what this Postfix was built with, as postkick-settings(8) records it."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(directory, "postkick.ini")
    with open(os.path.join(here, "../../conf/postfix.ini"), encoding="ascii") as file:
        names = re.findall(r"^(\w+) *=", file.read(), re.MULTILINE)
    values = subprocess.run(["postconf", "-d", *names], check=True, capture_output=True, text=True)
    with open(path, "w", encoding="ascii") as file:
        file.write("[postfix]\n" + values.stdout)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--postkick", required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.randrange(1000000))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep")
    options = parser.parse_args()
    if not shutil.which("postconf") or not shutil.which("postkick"):
        print("differential.py: Postfix is not installed", file=sys.stderr)
        return 2
    codecs.register_error("bytewise", lambda error: ("\ufffd", error.start + 1))
    print(f"seed {options.seed}")
    bad = refusals = 0
    with tempfile.TemporaryDirectory() as directory, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        environment = without_sleep(directory)
        options.settings = own_settings(directory)
        numbers = range(options.first, options.first + options.count)
        for number, found, refusal in pool.map(
                lambda number: check(number, options, directory, environment), numbers):
            refusals += refusal
            bad += bool(found)
            for text in found:
                print(f"file {number}: {text}", flush=True)
    print(f"{options.count} files, {refusals} refused by Postfix, {bad} with differences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
