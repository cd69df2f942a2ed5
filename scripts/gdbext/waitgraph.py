"""wait-graph: who waits for what, and who could end the wait.

A channel or mutex does not say who will use it next. What can be seen is who has a pointer to it: a goroutine whose stack
mentions the object may send, receive or unlock; one that has none can't. So an object's "known to" are the goroutines
whose stacks mention it, and "everybody" if a global variable does. runtime/diag/waitgraph.cpp prints the same graph when
the program dies of a deadlock under GODEBUG=deadlockgraph=1.

A goroutine is stuck if it waits for objects that only stuck goroutines know (the largest such set is taken). The heap is
not searched: an object that a heap object points to may be known to more than is said here.
"""
import struct

import gdb

from gdbext import channels, goroutines, layout, state, switch, symbols
from gdbext.layout import View, memory, table, u64

# The semaphore of a Mutex lies 4 bytes into it, a Once's and a WaitGroup's 8, an RWMutex's 8, 12 and 16: a pointer to any.
SEMA_REACH = 16


class Object:
    def __init__(self, kind, addr):
        self.kind, self.addr = kind, addr
        self.waiters, self.known, self.everybody = [], set(), False

    def text(self):
        if self.kind == "chan":
            c = View("hchan", self.addr)
            return "chan 0x%x (%d of %d%s)" % (self.addr, c["qcount"], c["dataqsiz"], ", closed" if c["closed"] else "")
        return "semaphore 0x%x%s" % (self.addr, self.symbol())

    def symbol(self):
        try:
            text = gdb.execute("info symbol 0x%x" % self.addr, to_string=True)
        except gdb.error:
            return ""
        return "" if text.startswith("No symbol") else " in " + text.split(" in section")[0].split(" + ")[0]


def semaphores():
    """{g address: semaphore address} of all that wait on one: a table of trees, by address."""
    t = table()
    base, size, n = t.find("runtime.semtable"), t.size("semaRoot"), t.const("kSemTabSize")
    found = {}
    if not base:
        return found
    data = memory(base, size * n)
    off = t.field("semaRoot.treap")[0]
    todo = [int.from_bytes(data[i * size + off:i * size + off + 8], "little") for i in range(n)]
    while todo:
        at = todo.pop()
        if not at:
            continue
        node = View("sudog", at)
        todo += [node["prev"], node["next"]]
        while at:
            sg = View("sudog", at)
            found[sg["g"]] = node["elem"]
            at = sg["waitlink"]
    return found


def waits(view, semas):
    """[(verb, kind, address)] of what a goroutine waits for; None: for nothing that others could end by an object."""
    found = []
    sg = view["waiting"]
    while sg and len(found) < 65536:
        s = View("sudog", sg)
        if s["c"]:
            found.append((direction(s), "chan", s["c"]))
        sg = s["waitlink"]
    if not found and view.addr in semas:
        found.append(("acquire", "sema", semas[view.addr]))
    return found


def direction(sg):
    """Is this sudog in the channel's queue of receivers or of senders?"""
    c = View("hchan", sg["c"])
    at = sg.addr
    while True:
        prev = View("sudog", at)["prev"]
        if not prev:
            break
        at = prev
    return "send" if at == c["sendq.first"] else "receive"


def stack_words(view, sp):
    """What lies on a goroutine's stack from sp up, through all its segments."""
    parts, words = [], []
    parts.append((sp, view["stack.hi"]))
    seg = view["segs"]
    while seg and len(parts) < 64:
        s = View("stackseg", seg)
        parts.append((s["outersp"], s["outerstack.hi"]))
        seg = s["outer"]
    # The arguments of the goroutine's function lie above, up to the g itself: part of the range already.
    for lo, hi in parts:
        lo &= ~7
        if lo and lo < hi and hi - lo < 1 << 30:
            words.append(memory(lo, hi - lo))
    return words


def globals_range():
    """The program's writable data, by its file's headers."""
    t = table()
    with open(t.filename, "rb") as f:
        ehdr = f.read(64)
        phoff, = struct.unpack_from("<Q", ehdr, 32)
        phentsize, phnum = struct.unpack_from("<HH", ehdr, 54)
        for i in range(phnum):
            f.seek(phoff + i * phentsize)
            ptype, flags, _, vaddr, _, _, memsz, _ = struct.unpack("<IIQQQQQQ", f.read(56))
            if ptype == 1 and flags & 2:
                return vaddr + t.bias, vaddr + t.bias + memsz
    return 0, 0


class Graph:
    def __init__(self):
        self.views = {v.addr: v for v in state.goroutines()}
        semas = semaphores()
        self.objects, self.waits = {}, {}
        for addr, v in self.views.items():
            todo = waits(v, semas) if state.gstatus(v["atomicstatus"]) == "waiting" else []
            self.waits[addr] = todo
            for verb, kind, at in todo:
                o = self.objects.setdefault(at, Object(kind, at))
                o.waiters.append((addr, verb))
        self.find_knowers()
        self.stuck = self.find_stuck()
        self.circles = self.find_circles()

    def find_knowers(self):
        exact = {o.addr: o for o in self.objects.values()}
        for o in self.objects.values():
            if o.kind == "sema":
                for back in range(4, SEMA_REACH + 1, 4):
                    exact.setdefault(o.addr - back, o)
        if not exact:
            return
        for addr, v in self.views.items():
            if v["isSystem"]:
                continue
            for part in stack_words(v, switch.sp_of(v)):
                for w in memoryview(part[:len(part) & ~7]).cast("Q"):
                    o = exact.get(w)
                    if o is not None:
                        o.known.add(addr)
        lo, hi = globals_range()
        for o in self.objects.values():
            if lo <= o.addr < hi:
                o.everybody = True
        # A pointer to a channel in a global variable. The runtime's own tables (semtable) name semaphores only.
        chans = [o for o in self.objects.values() if o.kind == "chan"]
        if chans:
            try:
                data = memory(lo, hi - lo)
            except gdb.MemoryError:
                return
            for o in chans:
                at = data.find(struct.pack("<Q", o.addr))
                while at >= 0 and at % 8:
                    at = data.find(struct.pack("<Q", o.addr), at + 1)
                if at >= 0:
                    o.everybody = True

    def for_ever(self, v):
        reason = state.wait_reason(v["waitreason"])
        return "(nil chan)" in reason or reason == "select (no cases)"

    def find_stuck(self):
        """The largest set of goroutines that only members of it could wake."""
        stuck = {a for a, v in self.views.items() if state.gstatus(v["atomicstatus"]) == "waiting" and not v["isSystem"]
                 and (self.waits[a] or self.for_ever(v))}
        changed = True
        while changed:
            changed = False
            for a in list(stuck):
                for _, _, at in self.waits[a]:
                    o = self.objects[at]
                    if o.everybody and any(b not in stuck for b in self.views if not self.views[b]["isSystem"]) or \
                            any(b not in stuck for b in o.known):
                        stuck.discard(a)
                        changed = True
                        break
        return stuck

    def edges(self, a):
        """Those that a's wait may be ended by: who knows what it waits for and does not wait for the same thing."""
        out = set()
        for verb, _, at in self.waits[a]:
            o = self.objects[at]
            same = {b for b, v in o.waiters if v == verb}
            out |= {b for b in o.known if b != a and b not in same}
        return out

    def find_circles(self):
        """Groups of goroutines that wait for each other in a circle (strongly connected, stuck)."""
        index, low, on, stack, groups, counter = {}, {}, set(), [], [], [0]

        def visit(root):
            work = [(root, iter(self.edges(root) & self.stuck))]
            index[root] = low[root] = counter[0]
            counter[0] += 1
            stack.append(root)
            on.add(root)
            while work:
                a, it = work[-1]
                for b in it:
                    if b not in index:
                        index[b] = low[b] = counter[0]
                        counter[0] += 1
                        stack.append(b)
                        on.add(b)
                        work.append((b, iter(self.edges(b) & self.stuck)))
                        break
                    if b in on:
                        low[a] = min(low[a], index[b])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[a])
                    if low[a] == index[a]:
                        group = []
                        while True:
                            b = stack.pop()
                            on.discard(b)
                            group.append(b)
                            if b == a:
                                break
                        if len(group) > 1:
                            groups.append(group)
        for a in self.stuck:
            if a not in index:
                visit(a)
        return groups

    def shortest_circle(self, group):
        """One way round, as short as there is, back to where it began."""
        best = None
        for start in sorted(group, key=self.goid):
            came, todo = {start: None}, [start]
            while todo and (best is None or len(best) > 3):
                a = todo.pop(0)
                for b in sorted(self.edges(a) & set(group), key=self.goid):
                    if b == start:
                        path = [start]
                        while a is not None:
                            path.insert(0, a)
                            a = came[a]
                        if best is None or len(path) < len(best):
                            best = path
                        todo = []
                        break
                    if b not in came:
                        came[b] = a
                        todo.append(b)
        return best

    def goid(self, a):
        return self.views[a].i("goid")

    def names(self, addrs):
        return state.ids(["g%d" % i for i in sorted(self.goid(a) for a in addrs)], 10)


def show():
    graph = Graph()
    groups = {}
    for a, v in graph.views.items():
        if v["isSystem"] or not (graph.waits[a] or a in graph.stuck):
            continue
        key = (tuple(sorted((verb, at) for verb, _, at in graph.waits[a])), goroutines.where(v),
               goroutines.status_text(v), a in graph.stuck)
        groups.setdefault(key, []).append(a)
    lines = []
    for (todo, where, status, stuck), members in sorted(groups.items(), key=lambda kv: min(map(graph.goid, kv[1]))):
        lines.append("%s [%s] in %s%s" % (graph.names(members), status, where, "   STUCK" if stuck else ""))
        if not todo:
            lines.append("    waits for nothing that anybody could do")
        for verb, at in todo:
            o = graph.objects[at]
            others = o.known - set(members) - {b for b, v in o.waiters if v == verb}
            if o.everybody:
                who = "everybody: it is in a global variable"
            elif others:
                who = graph.names(others)
            else:
                who = "nobody else"
            lines.append("    to %s %s, known to %s" % (verb, o.text(), who))
    for group in graph.circles:
        lines.append("CIRCLE: " + " -> ".join("g%d" % graph.goid(b) for b in graph.shortest_circle(group)))
    return lines, graph


class WaitGraph(layout.Command):
    """Show who waits for what, who could end the wait, which goroutines are stuck, and circles.
An object is "known to" the goroutines whose stacks mention it. STUCK: only goroutines that are stuck themselves know what
this one waits for. (The heap is not searched.)"""
    alone = "wait-graph"

    def __init__(self):
        super().__init__("wait-graph", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, _arg, _from_tty):
        state.need_process()
        lines, graph = show()
        if not lines:
            print("Nobody waits for a channel, a lock or a semaphore.")
            return
        print("\n".join(lines))
        print("%d goroutines wait, %d of them are stuck, %d circles" % (
            sum(1 for a in graph.waits if graph.waits[a] or a in graph.stuck), len(graph.stuck), len(graph.circles)))


WaitGraph()
