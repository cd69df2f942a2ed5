"""Each case of fatal_oracle.json and fatal_more.json: the scenario in C++, or why there is none.

The former are in progs/fatal_prog.cpp, the latter in the files that source() names. A name of the latter may go on with
surroundings: more_deep@GOTRACEBACK=all.

A case runs "its" scenario of the same name unless SCENARIO or PREFIX says another. DIFFERENT lists cases whose outcome
differs on purpose: the lines that replace Go's, and the reason.
"""

SCENARIO = {
    "signal_notify_then_term": "signal_notify_then_term",
    "sleeping2_SIGQUIT": "sleeping2",
    "busy_SIGQUIT": "busy",
    "sigterm_blocked_by_parent": "sleeping",
    "sigint_ignored_by_parent": "sleeping",
    "sigterm_ignored_by_parent": "sleeping",
    "all_fds_closed_hello": "hello",
    "argc0": "args", "argv_null": "args", "env_null": "", "argv_1MB": "args",
    "argc0_hello": "hello", "argc0_panic": "panic_string",
    "ulimit_s_64_panic": "panic_string", "ulimit_s_64_gc_recursion": "gc_recursion", "ulimit_n_0": "hello",
    "nproc_5_threads": "threads",
    "schedtrace1_hello": "hello", "schedtrace_sleepers": "sleepers10000",
    "inittrace": "hello", "gctrace_hello_gc": "hello", "GODEBUG_bogus": "hello",
    "GOTRACEBACK=none_deadlock": "deadlock_article", "GOTRACEBACK=crash_deadlock": "deadlock_chan_main",
}
_OLD = {"exit_goroutine", "exit_256"}  # the oracle's own
PREFIX = [
    ("sleeping_SIG", "sleeping"), ("GOMAXPROCS", "procs"), ("GOTRACEBACK=", "two_goroutines_panic"),
    ("nproc_", "hello"), ("ulimit_v_", "hello"), ("ulimit_s_", "hello"), ("schedtrace100", "busy4"),
    ("GOGC=", "hello"), ("GOMEMLIMIT=", "hello"),
]

# Surroundings in which programs of fatal_more.json run once more.
_LEVELS = [f"GOTRACEBACK={v}" for v in ("none", "single", "all", "system", "crash", "0", "1", "2", "")]
_PROCS = ["GOMAXPROCS=1", "GOMAXPROCS=64"]
VARIANTS = {
    "pan_main_many": _LEVELS, "pan_g_main_chan": _LEVELS, "dl_locked_both": _LEVELS, "pan_nil_write": _LEVELS,
    "pan_unlock_caught": _LEVELS, "sig_locked_quit": _LEVELS, "more_fault_caught": _LEVELS,
    "pan_settraceback": [f"LEVEL={v}" for v in ("none", "single", "all", "system", "crash", "0", "1", "nonsense")] +
                        [f"LEVEL={v}@GOTRACEBACK={w}" for v, w in (("none", "all"), ("all", "none"), ("single", "system"))],
    "dl_wait_kinds": ["GOMAXPROCS=1", "GOMAXPROCS=64"],
    "sig_busy_abrt": ["GOMAXPROCS=1", "GOMAXPROCS=64"], "sig_busy_term": ["GOMAXPROCS=1", "GOMAXPROCS=64"],
    "exit_g_busy": ["GOMAXPROCS=1", "GOMAXPROCS=64"], "pan_g_main_busy": ["GOMAXPROCS=1"],
    "pan_g_nil": [f"GOTRACEBACK={v}" for v in ("ALL", "4", "-1", "0x1", " all", "300", "99999999999")],
    "sig_kill_hup": _PROCS, "sig_kill_int": _PROCS, "sig_kill_segv": _PROCS, "sig_kill_fpe": _PROCS, "sig_g_quit": _PROCS,
    "sig_kill_bus": _PROCS, "end_sig_pipe_chan": _PROCS, "end_sig_segv_busy": _PROCS, "end_sig_exit": _PROCS,
    "end_quit_all": _PROCS, "end_many_nil": _PROCS, "end_many_same": _PROCS,
    "end_overflow_locked": _PROCS, "pan_mutual_g": _PROCS, "dl_many": _PROCS, "end_deep_goexit": _PROCS,
}

# Cases that send a signal once the program says "ready".
SIGNALS = {"sleeping2_SIGQUIT": 3, "busy_SIGQUIT": 3, "sigterm_blocked_by_parent": 15, "sigint_ignored_by_parent": 2,
           "sigterm_ignored_by_parent": 15, "signal_notify_then_term": 15}

# What C++ or this tree cannot express, with the reason.
IMPOSSIBLE = {
    "nil_bigoffset": "Go's compiler tests such pointers; C++ adds the offset and touches what may be mapped there. "
                     "The fault at a large offset from nil is an unexpected fault address here.",
}

# Outcomes that are right here and not the same as Go's. stderr/stdout/exit replace the oracle's.
_FITS = ({"stdout": "hello, world\n", "stderr": "", "exit": "exit 0"},
         "this runtime reserves less address space than Go, so the program still fits")
DIFFERENT = {f"ulimit_v_{n}MB": _FITS for n in (100, 128, 200, 500, 600)}
_NAMES = "names of types are C++'s"
DIFFERENT |= {
    "more_enum": ({"stderr": "panic: Colour(3)\n\ngoroutine 1 [running]:\n"}, _NAMES),
    "more_struct": ({"stderr": "panic: (Value) 0xADDR\n\ngoroutine 1 [running]:\n"}, _NAMES),
    "more_pointer": ({"stderr": "panic: (Value*) 0xADDR\n\ngoroutine 1 [running]:\n"}, _NAMES),
}
# Go 1.19 took no plus sign; today's Go does.
DIFFERENT["GOMAXPROCS='+3'"] = ({"stderr": "3 2\n"}, "numbers in the environment are read as Go 1.27 reads them")
# There is no page summary to reserve; the first thing that does not fit is the heap's first arena.
_NOARENA = ({"stderr": "runtime: out of memory: cannot allocate 67108864-byte block (0 in use)\n"
                       "fatal error: out of memory\n\nruntime stack:\n"},
            "this runtime reserves no page summaries: the first arena is what does not fit")
DIFFERENT |= {"ulimit_v_4MB": _NOARENA, "ulimit_v_16MB": _NOARENA}
# Cases where either outcome is right.
EITHER = {"schedtrace1_hello": ({"stdout": "hello, world\n", "stderr": "", "exit": "exit 0"},
                                "main may be done before sysmon has looked for the first time"),
          "nproc_3_hello": ({"stdout": "hello, world\n", "stderr": "", "exit": "exit 0"},
                            "how many threads there are before main prints depends on the scheduler, in Go, too")}


_NIL = "runtime error: invalid memory address or nil pointer dereference"
_NILPANIC = (f"panic: {_NIL}\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0xADDR]\n\n"
             "goroutine 1 [running]:\n")

# Programs that are in no oracle, with what Go does or, where only C++ has such a thing, what the rules of this runtime
# say: (stderr up to the first goroutine, exit).
EXTRA = {
    "throw_std": ("panic: some logic\n\ngoroutine 1 [running]:\n", "exit 2"),
    "throw_int": ("panic: 42\n\ngoroutine 1 [running]:\n", "exit 2"),
    "vector_at": ("panic: vector::_M_range_check: __n (which is 5) >= this->size() (which is 0)\n\n"
                  "goroutine 1 [running]:\n", "exit 2"),
    "rethrow": ("panic: first\n\ngoroutine 1 [running]:\n", "exit 2"),
    "throw_foreign": ("panic: (Value) 0xADDR\n\ngoroutine 1 [running]:\n", "exit 2"),
    "throw_foreign_defer": ("panic: (Value) 0xADDR\n\tpanic: second\n\ngoroutine 1 [running]:\n", "exit 2"),
    "rethrow_ptr": ("panic: kept [recovered]\n\tpanic: other\n\ngoroutine 1 [running]:\n", "exit 2"),
    "caught_then_error": ("panic: an error\n\tpanic: third\n\ngoroutine 1 [running]:\n", "exit 2"),
    "error_caught_below": ("caught an error\npanic: last\n\ngoroutine 1 [running]:\n", "exit 2"),
    "panic_noexcept": ("panic: in noexcept\n\ngoroutine 1 [running]:\n", "exit 2"),
    "fault_defers": ("deferred\n" + _NILPANIC, "exit 2"),
    "nil_func": (f"recovered: {_NIL}\n" + _NILPANIC, "exit 2"),
    "nil_virtual": (_NILPANIC, "exit 2"),
    "goexit_not_caught": ("catch (...)\nend\n", "exit 0"),
    "stack_caller": ("true true true stack_caller\n", "exit 0"),
    "many_panic": ("panic: many\n\ngoroutine N [running]:\n", "exit 2"),
}

# Cases in which several threads may be at work at the end: repeated with several GOMAXPROCS under --stress.
RACY = {
    "exit_goroutine", "main_returns_with_goroutines", "deadlock_two_g", "deadlock_article", "panic_string_g",
    "panic_int_g", "panic_main_exit_race", "two_goroutines_panic", "many_panic", "goexit_main_alone",
    "goexit_main_other_exits0", "goexit_deferred", "stack_overflow_g", "setmaxthreads", "lockosthread_exit",
    "lockosthread_main_exit_g", "threads", "more_dl_locked_g", "more_dl_cond_two", "more_dl_main_goexit_others",
    "more_dl_wg_never", "more_dl_all_mutex", "more_panic_in_goexit", "more_goexit_in_defer", "more_goexit_in_goexit",
    "more_deep_g", "more_g_of_g", "more_unlock_g", "more_send_closed_blocked", "more_close_blocked_select",
    "more_main_in_read", "more_quit_syscall", "more_notify_abrt", "more_recover_nil_g", "end_many_same", "end_many_nil",
    "end_many_caught", "end_goexit_main_exit", "end_goexit_locked2", "end_panic_of_locked", "end_sig_exit",
    "end_sig_segv_busy", "end_sig_burst", "end_quit_all", "end_dl_ring", "pan_g_main_busy", "pan_g_nil", "dl_mutex_pair",
    "sig_g_quit", "sig_busy_abrt", "sig_notify_two",
}


def source(name):
    for prefix, where in (("more_", "fatal_more"), ("sig_", "fatal_signals"), ("pan_", "fatal_panics"),
                          ("dl_", "fatal_panics"), ("exit_", "fatal_panics"), ("end_", "fatal_ends")):
        if name.startswith(prefix) and name not in _OLD:
            return where
    return "fatal_prog"


# Where a program that is linked with shared libraries ends before its first instruction, or at its first thread, whose
# stack libc takes from the address space.
NOT_HOSTED = {
    "ulimit_v_4MB": "the dynamic linker finds no room",
    "ulimit_v_100MB": "libc's stacks of 8 MB for threads do not fit",
    "ulimit_n_0": "the dynamic linker cannot open the libraries",
}


def scenario(name):
    name = name.split("@")[0]
    if name in SCENARIO:
        return SCENARIO[name]
    for prefix, what in PREFIX:
        if name.startswith(prefix):
            return what
    return name
