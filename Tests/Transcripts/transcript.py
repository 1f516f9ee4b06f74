"""transcript.py FOLDER: makes one transcript of strace's files in a folder, one for each thread. strace writes the time
at which each call began, and how long it took.

Everything that differs between two runs of the same program is replaced by what it is: descriptors by their kind and
number, ports, processes, addresses of memory, times, bytes. Within a step come the calls of the thread that makes it,
then those of the threads that help.
"""

import pathlib
import re
import sys

# What makes descriptors, and what they are called then.
MAKERS = {
    "socket": "socket", "accept4": "socket", "accept": "socket", "eventfd2": "event", "epoll_create1": "epoll",
    "pipe2": "pipe", "socketpair": "socket", "fcntl": "descriptor", "pidfd_open": "process", "timerfd_create": "timer",
}
# Calls whose quoted words are names, not bytes.
NAMED = {
    "unlink", "unlinkat", "statx", "newfstatat", "rename", "renameat2", "openat", "mkdir", "chmod", "linkat", "link",
}
LINE = re.compile(r"^(\d+)\.(\d{9}) (\w+)\((.*)\)\s+= (.*) <(\d+)\.(\d{9})>$")
# How the scenarios' own files begin.
PATH = "transcript-"
# What moves as many bytes as the kernel has room for.
MOVERS = re.compile(r"^(send|recv|write|read|sendfile|splice)")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\.\.\.)?')


class Names:
    """Names for descriptors while they are open."""

    def __init__(self):
        self.open, self.made = {}, {}

    def make(self, number, kind):
        self.made[kind] = self.made.get(kind, 0) + 1
        self.open[number] = f"{kind} {self.made[kind]}"

    def __getitem__(self, number):
        return self.open.get(number)


def read(folder):
    """The calls of all threads in the order of time: (nanoseconds, whose thread it is, name, arguments, result).

    The time of a call that makes a descriptor is its end, and that of any other is its beginning. A thread may close a
    number after another one's call has begun, and that call may then return the number.
    """
    calls = []
    for file in folder.glob("trace.*"):
        text = file.read_text(errors="replace")
        # The numbers of threads go round, so the first is not the least.
        whose = "first" if '"== begin' in text else "helper" if '"|| helps' in text else "library"
        for line in text.split("\n"):
            if match := LINE.match(line):
                seconds, nanoseconds, name, words, outcome, *lasting = match.groups()
                time = int(seconds + nanoseconds) + (int("".join(lasting)) if name in MAKERS else 0)
                calls.append((time, whose, name, words, outcome))
    return sorted(calls, key=lambda call: call[0])


def normal(name, words, outcome, names):
    """A call as the transcript has it; None when it is about nothing that the scenario made."""
    made = name in MAKERS and re.match(r"\d+", outcome) and (name != "fcntl" or "F_DUPFD" in words)
    first = re.match(r"(-?\d+)(?:, |$)", words)
    about = names[first.group(1)] if first else None
    if name in ("ppoll", "poll"):
        about = next((names[number] for number in re.findall(r"fd=(\d+)", words) if names[number]), None)
        if not about and "fd=-1" in words:
            about = "no descriptor"
    if name in NAMED:
        about = PATH in words
    if not about and name not in ("socket", "eventfd2", "epoll_create1", "pipe2", "socketpair", "pidfd_open"):
        return None

    def descriptor(match):
        return f"{match.group(1)}{names[match.group(2)] or match.group(2)}"

    pair = []
    if name in ("socketpair", "pipe2"):
        pair = re.findall(r"\d+", re.search(r"\[([^\]]*)\]", words).group(1))
        words = re.sub(r"\[[^\]]*\]", "[pair]", words)
    elif name != "socket" and first:
        words = re.sub(r"^()(\d+)", descriptor, words)
    if name == "epoll_ctl":
        words = re.sub(r"(EPOLL_CTL_\w+, )(\d+)", descriptor, words)
    texts = []

    def quoted(match):
        before = match.string[: match.start()]
        if name in NAMED or re.search(r"(sun_path=@?|inet_addr\(|inet_pton\(AF_INET6, )$", before):
            texts.append(match.group(0))
            # What the kernel chose.
            if re.search(r"sun_path=@$", before) and re.fullmatch(r'"[0-9a-f]{5}"', texts[-1]):
                texts[-1] = '"chosen"'
            return f"\0{len(texts) - 1}\0"
        return "bytes"

    words = QUOTED.sub(quoted, words)
    if made:
        for number in pair or [re.match(r"\d+", outcome).group(0)]:
            names.make(number, MAKERS[name])
        outcome = "0" if pair else names[re.match(r"\d+", outcome).group(0)]
    elif name == "close":
        names.open.pop(first.group(1), None)
    text = f"{name}({words}) = {outcome}"
    text = re.sub(r"(\bfd=)(\d+)", descriptor, text)
    text = re.sub(r"(cmsg_type=SCM_RIGHTS, cmsg_data=\[)([^\]]*)", lambda match: match.group(1) + ", ".join(
        received(number, names) for number in match.group(2).split(", ")), text)
    text = re.sub(r"/\* .*? \*/", "", text)
    text = re.sub(r"(left )?\{tv_sec=\d+, tv_[un]sec=\d+\}", lambda match: "" if match.group(1) else "time", text)
    text = re.sub(r"\(\[(.*)\], \)$", r"([\1])", text)
    text = re.sub(r", \)$", ")", text)
    text = re.sub(
        r"htons\((?!0\))\d+\)", lambda match: match.group(0) if match.group(0) == "htons(9)" else "port", text)
    text = re.sub(r"svm_port=(?!0xffffffff)(?!0x9\b)(0x)?[0-9a-f]+", "svm_port=port", text)
    # How poll(2) is told to leave one out.
    text = re.sub(r"fd=-(?!1\b)\d+", "fd=none", text)
    text = re.sub(r"pid=\d+", "pid=process", text)
    text = re.sub(r"sin6_flowinfo=htonl\(\d+\), ", "", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "memory", text)
    text = re.sub(r"(-1 E\w+) \(.*\)$", r"\1", text)
    text = re.sub(r"st_\w+=[^,}]*(, )?|stx_\w+=[^,}]*(, )?", "", text) if name in NAMED else text
    return re.sub(r"\0(\d+)\0", lambda match: texts[int(match.group(1))], text)


def received(number, names):
    """The name of a descriptor in a message: one that has none yet came just now."""
    if number.isdigit() and not names[number]:
        names.make(number, "received")
    return names[number] or number


def transcript(folder):
    """The lines of the transcript."""
    names, lines, own, others, library, results = Names(), [], [], [], [], []
    begun, loose, hidden = False, False, False

    def flush():
        """Writes a step's calls, and then its results: a thread that helps may be behind."""
        for calls, mark in ((own, "   "), (others, "   | ")):
            seen = set()
            for call in calls:
                if loose and MOVERS.match(call):
                    # How often and how many bytes is for the machine to decide.
                    call = re.sub(r" = \d+$", " = some", call)
                    call = re.sub(r"(bytes|memory), \d+", "bytes, some", call)
                    call = re.sub(r"(iov_len|msg_len)=\d+", r"\1=some", call)
                if loose and call in seen:
                    continue
                seen.add(call)
                if not hidden:
                    lines.append(mark + call)
            calls.clear()
        lines.extend(results)
        results.clear()

    for _, whose, name, words, outcome in read(folder):
        if name == "write" and words.startswith("1, "):
            text = QUOTED.search(words).group(1).encode().decode("unicode_escape").rstrip("\n")
            if text == "== begin":
                begun = True
                continue
            if not begun or text.startswith(("!!", "||")):
                continue
            if not text.startswith("=="):
                results.append(text)
                continue
            flush()
            if text == "== end":
                break
            loose, hidden = " until " in text, "(calls not shown)" in text
            lines.append(text)
        elif begun and (call := normal(name, words, outcome, names)):
            {"first": own, "helper": others, "library": library}[whose].append(call)
    if library:
        # When such a thread gets its turn is for the machine to decide: each kind of call once.
        lines.append("== in threads of the library's own, once each")
        lines.extend(sorted({f"   | {call}" for call in library}))
    return lines


if __name__ == "__main__":
    print("\n".join(transcript(pathlib.Path(sys.argv[1]))))
