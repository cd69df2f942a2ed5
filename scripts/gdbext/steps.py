"""What the steps of the start are for: the one data file behind `boot why` and the tour. Which steps there are, in what
order, with which values and at which source lines, is not said here: the running program records it (bootstep.h).

STEPS[symbol] = Step(go, en, zh). go: Go's file and function. en, zh: (what it does and why it comes here, what it needs,
what it provides, what would break without it)."""
from collections import namedtuple

Step = namedtuple("Step", "go en zh")
FIELDS = ("why", "needs", "gives", "breaks")
LABELS = {
    "en": {"why": "Why here", "needs": "Needs", "gives": "Provides", "breaks": "Without it", "go": "In Go"},
    "zh": {"why": "为什么在这里", "needs": "需要", "gives": "提供", "breaks": "没有它会怎样", "go": "在 Go 中"},
}

STEPS = {
    "runtime.rt0_go": Step(
        "runtime/asm_amd64.s, runtime·rt0_go",
        ("The entry point took argc and argv from where the kernel left them; here SP is moved down, aligned to 16, and both "
         "are kept on the stack. It is the first thing because every call after it may store SSE registers on the stack.",
         "the kernel's stack: argc, argv, envp and the auxiliary vector above SP",
         "an aligned stack, argc at 24(SP), argv at 32(SP), and BP = 0 as the end of every backtrace",
         "The first aligned store of an SSE register to the stack would fault (SIGSEGV), before anybody could print why."),
        ("入口点从内核留下的位置取出 argc 和 argv；这里把 SP 下移并对齐到 16 字节，再把两者存到栈上。它必须最先做，因为之后的每次调用都可能"
         "把 SSE 寄存器存到栈上。",
         "内核准备的栈：SP 之上依次是 argc、argv、envp 和辅助向量",
         "对齐的栈，24(SP) 处的 argc，32(SP) 处的 argv，以及作为回溯终点的 BP = 0",
         "第一次把 SSE 寄存器对齐地存到栈上就会出错（SIGSEGV），而那时谁也打印不出原因。")),
    "g0.stack": Step(
        "runtime/asm_amd64.s, runtime·rt0_go",
        ("g0, the scheduler's goroutine of the first thread, is told that 64 KB of the process's own stack are its stack. It "
         "comes before any C++ because stack checks compare with these bounds.",
         "SP after its alignment",
         "g0.stack.lo, g0.stack.hi and both guards: SP - 64*1024 + 104 up to SP",
         "g0 would have the bounds 0..0: mstart would take it for a thread whose bounds are unknown, and a traceback or a "
         "collector could not tell what is stack."),
        ("g0 是第一个线程的调度用协程，这里告诉它：进程自己的栈中有 64 KB 归它使用。它在任何 C++ 代码之前，因为栈检查要和这些边界比较。",
         "对齐之后的 SP",
         "g0.stack.lo、g0.stack.hi 和两个 guard：从 SP - 64*1024 + 104 到 SP",
         "g0 的边界会是 0..0：mstart 会以为这是一个边界未知的线程，回溯和垃圾回收器也分不清哪里是栈。")),
    "cpuid": Step(
        "runtime/asm_amd64.s, runtime·rt0_go",
        ("The processor is asked for its maker and version by the CPUID instruction. It needs nothing but registers, so it can "
         "be this early; and the time stamps of all later steps depend on its answer.",
         "nothing",
         "isIntel, lfenceBeforeRdtsc (how to keep RDTSC from passing earlier instructions), processorVersionInfo",
         "The time stamp counter would be read with the wrong fence, and durations measured by it could come out too short."),
        ("用 CPUID 指令询问处理器的厂商和版本。它只用寄存器，所以可以这么早；之后各步的时间戳都取决于它的回答。",
         "什么也不需要",
         "isIntel、lfenceBeforeRdtsc（如何防止 RDTSC 越过前面的指令）、processorVersionInfo",
         "读时间戳计数器时会用错屏障，用它测得的时长可能偏短。")),
    "_cgo_init": Step(
        "runtime/asm_amd64.s, runtime·rt0_go; runtime/cgo/gcc_linux_amd64.c, x_cgo_init",
        ("libc is in this program, so the thread pointer is libc's. _cgo_init is called with &g0 and the function that stores g; "
         "it finds the stack's real bounds, and the guards follow them.",
         "a libc that has started, since it owns FS",
         "g0's true bounds and guards; the runtime's own settls is skipped",
         "settls would take FS away from libc: errno, malloc's caches and stack protection would read from m0 instead."),
        ("这个程序里有 libc，线程指针归 libc 所有。以 &g0 和保存 g 的函数为参数调用 _cgo_init；它查出栈的真实边界，guard 随之更新。",
         "已经启动的 libc，因为 FS 属于它",
         "g0 真实的边界和 guard；跳过运行时自己的 settls",
         "settls 会把 FS 从 libc 手里夺走：errno、malloc 的缓存和栈保护就会去读 m0。")),
    "runtime.settls": Step(
        "runtime/sys_linux_amd64.s, runtime·settls",
        ("The FS base of this thread is set to &m0.tls[1] by arch_prctl, so that -8(FS) is m0.tls[0]. It comes before the first "
         "C++ function because that is where getg() reads.",
         "m0, which is a global and needs no allocation",
         "thread-local storage: -8(FS) for g, 0x28(FS) for the stack protector, 0x70(FS) for the stack guard",
         "FS stays 0: the very next instruction, which stores 0x123 through it, would fault at address -8. With a wrong base, "
         "0x123 does not arrive in m0.tls[0] and the start aborts."),
        ("用 arch_prctl 把本线程的 FS 基址设为 &m0.tls[1]，于是 -8(FS) 就是 m0.tls[0]。它在第一个 C++ 函数之前，因为 getg() 就从那里读。",
         "m0，它是全局变量，不需要分配",
         "线程局部存储：-8(FS) 放 g，0x28(FS) 放栈保护值，0x70(FS) 放栈 guard",
         "FS 仍是 0：紧接着经它存 0x123 的指令会在地址 -8 处出错。如果基址不对，0x123 到不了 m0.tls[0]，启动就会中止。")),
    "m0-g0": Step(
        "runtime/asm_amd64.s, runtime·rt0_go (label ok)",
        ("Thread, g0 and m0 find each other: g goes into TLS, m0.g0 = &g0, g0.m = &m0. From here on any code can ask who it is.",
         "a TLS that was tried out, or libc's",
         "getg(), getg()->m, m0.g0; the stack guard of this thread at 0x70(FS)",
         "check, the next call, finds that getg() is not &g0 and throws \"assembly checks failed\"."),
        ("线程、g0 和 m0 互相找到对方：g 存入 TLS，m0.g0 = &g0，g0.m = &m0。从这里起任何代码都能问“我是谁”。",
         "试用过的 TLS，或者 libc 的",
         "getg()、getg()->m、m0.g0；本线程在 0x70(FS) 的栈 guard",
         "紧接着的 check 会发现 getg() 不是 &g0，抛出 \"assembly checks failed\"。")),
    "runtime.check": Step(
        "runtime/runtime1.go, check",
        ("The compiler's assumptions are tried on the machine: sizes, atomics, floating point. It is the first C++ function, "
         "because all others rely on what it tests.",
         "a stack and g, nothing else",
         "the certainty that compare-and-swap, 64-bit addition and NaN comparison do what the code believes",
         "Nothing at once. A build for another machine would fail much later, in a lock that does not lock."),
        ("在机器上检验编译器的假设：大小、原子操作、浮点。它是第一个 C++ 函数，因为其他函数都依赖它所检验的东西。",
         "只要有栈和 g",
         "确信比较并交换、64 位加法和 NaN 比较与代码的预期一致",
         "当下不会出事；但为别的机器编译的程序会在很久以后，在一把锁不住的锁里失败。")),
    "runtime.vdsoauxv": Step(
        "runtime/vdso_linux.go, vdsoauxv",
        ("The kernel has mapped a small library, the vDSO, and put its address into the auxiliary vector. Here its symbol table "
         "is searched for clock_gettime.",
         "the auxiliary vector (sysargs is reading it)",
         "a clock that costs no system call",
         "Time would still be told, but by a system call, some ten times slower."),
        ("内核映射了一个小库 vDSO，并把地址放进辅助向量。这里在它的符号表中查找 clock_gettime。",
         "辅助向量（sysargs 正在读它）",
         "不需要系统调用的时钟",
         "仍能得到时间，但要用系统调用，大约慢十倍。")),
    "runtime.sysargs": Step(
        "runtime/os_linux.go, sysargs",
        ("Behind argv and envp lies the auxiliary vector; it is found by walking over both to their null ends. The kernel's "
         "answers in it save system calls later.",
         "argc and argv",
         "the page size, random bytes, the processor's capabilities, the vDSO's address, the program headers",
         "physPageSize stays 0, and mallocinit throws \"failed to get system page size\"."),
        ("argv 和 envp 之后就是辅助向量；越过两者各自的空结尾就能找到它。其中内核给出的答案以后能省掉系统调用。",
         "argc 和 argv",
         "页大小、随机字节、处理器能力、vDSO 的地址、程序头",
         "physPageSize 仍为 0，mallocinit 会抛出 \"failed to get system page size\"。")),
    "runtime.args": Step(
        "runtime/runtime1.go, args",
        ("argc and argv are kept for later; nothing can be copied yet, for there is no heap. Then sysargs reads what the kernel "
         "put behind them. It comes before osinit, which uses those answers.",
         "argc and argv from rt0_go's stack",
         "the arguments, the environment's address, and all of the auxiliary vector; from here on there is a clock",
         "No program headers, no page size, no random seed, no GODEBUG. moduledataverify is the first to notice, and throws."),
        ("保存 argc 和 argv 备用；还没有堆，所以什么也不能复制。然后由 sysargs 读取内核放在后面的内容。它在 osinit 之前，因为后者要用这些答案。",
         "rt0_go 存在栈上的 argc 和 argv",
         "参数、环境变量的地址和整个辅助向量；从这里起有了时钟",
         "没有程序头、页大小、随机种子和 GODEBUG。moduledataverify 最先发现并抛出错误。")),
    "runtime.getproccount": Step(
        "runtime/os_linux.go, getproccount",
        ("How many CPUs may this process use? The affinity mask says how many it can be put on, the cgroup's limit how much "
         "time it gets; the smaller one counts.",
         "two system calls and a file of the cgroup, no memory",
         "ncpu, for the default of GOMAXPROCS",
         "With all CPUs of a big machine but the time of two, threads would be throttled in the middle of holding locks."),
        ("进程可以用几个 CPU？亲和性掩码说明能放到几个上，cgroup 的限制说明能得到多少时间；取较小者。",
         "两个系统调用和一个 cgroup 文件，不需要内存",
         "ncpu，作为 GOMAXPROCS 的默认值",
         "如果有大机器的全部 CPU 却只有两个 CPU 的时间，线程会在持锁时被限流。")),
    "runtime.getHugePageSize": Step(
        "runtime/os_linux.go, getHugePageSize",
        ("Asks how large a huge page is, so that memory can be given to the kernel in pieces that keep them whole.",
         "nothing but system calls", "physHugePageSize; 0 where there are none",
         "Nothing fails; memory that is returned in small pieces would break huge pages apart, and programs get slower."),
        ("询问大页有多大，这样归还内存时就不会把大页拆散。",
         "只要系统调用", "physHugePageSize；没有大页时为 0",
         "什么也不会失败；但零碎地归还内存会拆散大页，程序变慢。")),
    "runtime.osinit": Step(
        "runtime/os_linux.go, osinit",
        ("The questions to the operating system: how many CPUs, how large a huge page. Before schedinit, which decides by the "
         "answers how many Ps to make.",
         "args (the auxiliary vector)", "ncpu, physHugePageSize",
         "ncpu stays 0, so procresize is asked for 0 Ps and throws \"procresize: invalid arg\"."),
        ("向操作系统提问：有几个 CPU，大页有多大。在 schedinit 之前，因为后者按答案决定造几个 P。",
         "args（辅助向量）", "ncpu、physHugePageSize",
         "ncpu 仍为 0，于是要求 procresize 造 0 个 P，它会抛出 \"procresize: invalid arg\"。")),
    "runtime.schedinit": Step(
        "runtime/proc.go, schedinit",
        ("One function that brings up everything a goroutine needs, a call a line. First of all the locks get their ranks and "
         "the number of threads its bound (10000), before the first M is counted.",
         "g0, m0, TLS, args and osinit", "when it returns: memory, m0 in order, Ps, m0 running on p0",
         "newproc would have no P to take a goroutine id from and would dereference nil."),
        ("把一个协程所需的一切准备好的函数，一行一个调用。首先给各个锁定级，并给线程数定上限（10000），那时还没有计入第一个 M。",
         "g0、m0、TLS、args 和 osinit", "返回时：内存、就绪的 m0、各个 P，m0 运行在 p0 上",
         "newproc 没有可取协程编号的 P，会对空指针解引用。")),
    "runtime.tracebackinit": Step(
        "runtime/traceback.go; runtime/runtime1.go, setTraceback",
        ("From here on a fatal error can show where it happened. It is the first call of schedinit for that reason: what fails "
         "in the next ones should be told well.",
         "the environment (GOTRACEBACK), the program headers for the unwind tables",
         "throw and fatal print goroutines; the level that GOTRACEBACK asks for",
         "A failure in the steps that follow would print its text alone, without any frame."),
        ("从这里起，致命错误能显示发生在哪里。所以它是 schedinit 的第一个调用：后面的步骤失败时应当说得清楚。",
         "环境变量（GOTRACEBACK），以及用于查找展开表的程序头",
         "throw 和 fatal 会打印协程；GOTRACEBACK 要求的级别",
         "后面的步骤失败时只会打印一句话，没有任何栈帧。")),
    "runtime.moduledataverify": Step(
        "runtime/symtab.go, moduledataverify",
        ("The program's own headers are checked: where text and data lie, whether the unwind table is sorted, how large the "
         "thread-local block is. Before anything trusts them.",
         "the auxiliary vector's AT_PHDR", "bounds of text and data; the template for thread-locals",
         "A damaged or oddly linked program would crash in the middle of a traceback or an exception."),
        ("检查程序自身的头：代码和数据在哪里，展开表是否有序，线程局部块有多大。要在任何人信任它们之前做。",
         "辅助向量的 AT_PHDR", "代码和数据的边界；线程局部变量的模板",
         "损坏或链接方式奇怪的程序会在回溯或抛异常的中途崩溃。")),
    "runtime.stackinit": Step(
        "runtime/stack.go, stackinit",
        ("Address space for goroutine stacks is reserved: slots of one size, each with a guard region. Before mallocinit and "
         "before the first M, which needs a signal stack.",
         "the page size", "stackalloc and malg",
         "Nothing fails at once. Stacks would be mapped wherever the kernel likes, and nobody would have checked that slots "
         "and guards are whole pages: with larger pages than expected a guard would guard the wrong bytes."),
        ("为协程栈预留地址空间：等大的槽，每个都有保护区。在 mallocinit 之前，也在需要信号栈的第一个 M 之前。",
         "页大小", "stackalloc 和 malg",
         "当下不会出事。栈会被映射到内核随意选择的地方，也没有人检查过槽和保护区是不是整页：如果页比预期的大，保护区保护的就是错误的字节。")),
    "runtime.mallocinit": Step(
        "runtime/malloc.go, mallocinit",
        ("The heap: an arena of address space, size classes, and the cache (mcache0) that p0 will take over. Everything after "
         "this may allocate.",
         "the page size; throws if it is missing", "mallocgc, persistentalloc, mcache0",
         "A small program may survive, since the heap grows on demand; but the page size goes unchecked."),
        ("堆：一片地址空间、大小级别，以及以后归 p0 所有的缓存（mcache0）。此后的一切都可以分配内存。",
         "页大小；没有就抛出错误", "mallocgc、persistentalloc、mcache0",
         "小程序也许能活下来，因为堆按需增长；但没有检查页大小。")),
    "runtime.cpuinit": Step(
        "runtime/proc.go, cpuinit; internal/cpu, Initialize",
        ("The processor's capabilities decide which copy and clear routines are taken, and how a thread's FS base is changed.",
         "CPUID and the auxiliary vector's HWCAP2", "wide vector copies; wrfsbase where the kernel allows it",
         "memmove would stay at 16 bytes a step, and the stack check's slow path would not save wide registers."),
        ("处理器的能力决定用哪种复制和清零例程，以及如何改变线程的 FS 基址。",
         "CPUID 和辅助向量的 HWCAP2", "宽向量复制；内核允许时的 wrfsbase",
         "memmove 每步只有 16 字节，栈检查的慢路径也不会保存宽寄存器。")),
    "runtime.fastrandinit": Step(
        "runtime/proc.go, fastrandinit",
        ("16 random bytes, which the kernel has put into the auxiliary vector, become the seed. Before the first M, whose "
         "generator is seeded from it.",
         "AT_RANDOM", "different random numbers in each run: select's choice, stealing order",
         "Each run would steal and choose in the same order, which hides some bugs and hits others every time."),
        ("内核放在辅助向量里的 16 个随机字节成为种子。在第一个 M 之前，因为 M 的发生器由它播种。",
         "AT_RANDOM", "每次运行不同的随机数：select 的选择、窃取的顺序",
         "每次运行都以同样的次序窃取和选择，有些错误就此隐藏，有些则次次出现。")),
    "runtime.malg": Step(
        "runtime/proc.go, malg",
        ("A g with a stack is made: here for a thread's system or signal stack, later for goroutines, which begin with 2 KB.",
         "stackalloc", "a g whose bounds are set; status _Gidle",
         "There would be nothing to run on."),
        ("造一个带栈的 g：这里用作线程的系统栈或信号栈，以后用于协程，协程从 2 KB 开始。",
         "stackalloc", "边界已定的 g；状态 _Gidle",
         "没有可供运行的栈。")),
    "runtime.mpreinit": Step(
        "runtime/os_linux.go, mpreinit",
        ("The M gets gsignal, a stack that signal handlers run on: a goroutine's own 2 KB would not do, and a stack overflow "
         "could not be reported on the stack that overflowed.",
         "malg", "m.gsignal; minit tells the kernel about it",
         "The kernel would push the signal's frame on whatever stack is current. On a small one that faults again, and the "
         "process dies without a word."),
        ("M 得到 gsignal，即信号处理函数所用的栈：协程自己的 2 KB 不够用，而且栈溢出也无法在溢出的那个栈上报告。",
         "malg", "m.gsignal；由 minit 告诉内核",
         "内核会把信号帧压到当前的栈上。栈小就会再次出错，进程一声不响地死去。")),
    "runtime.mcommoninit": Step(
        "runtime/proc.go, mcommoninit",
        ("What every M needs: an id from mReserveID, a random state, gsignal, and a place on allm, from where nothing loses it.",
         "stackalloc, the seed, sched.lock", "m.id, m.gsignal, allm",
         "m0 would have no signal stack and be on no list: minit dereferences the missing gsignal."),
        ("每个 M 都需要的东西：由 mReserveID 给的编号、随机状态、gsignal，以及在 allm 上的位置，这样谁也不会弄丢它。",
         "stackalloc、种子、sched.lock", "m.id、m.gsignal、allm",
         "m0 没有信号栈，也不在任何链表上：minit 会对缺失的 gsignal 解引用。")),
    "runtime.modulesinit": Step(
        "runtime/symtab.go, modulesinit",
        ("The list of images whose code may stand in a traceback: the program and the vDSO.",
         "the program headers and the vDSO's address", "findmoduledatap, for tracebacks and signal handlers",
         "A signal that arrives inside the vDSO could not be traced to who called it."),
        ("可能出现在回溯中的映像列表：程序和 vDSO。",
         "程序头和 vDSO 的地址", "供回溯和信号处理函数使用的 findmoduledatap",
         "在 vDSO 内收到信号时，就查不出是谁调用了它。")),
    "runtime.itabsinit": Step(
        "runtime/iface.go, itabsinit",
        ("The tables that bind an interface's methods to a type's were made by the compiler, in a section of their own; here "
         "they go into the hash table that assertions search.",
         "persistentalloc", "getitab",
         "An assertion from one interface to another would build a second table for a pair that has one."),
        ("把接口方法和类型方法绑定起来的表由编译器造好，放在单独的段里；这里把它们放进断言所查找的哈希表。",
         "persistentalloc", "getitab",
         "接口之间的断言会为已有的一对再造一张表。")),
    "runtime.sigsave": Step(
        "runtime/signal_unix.go, sigsave",
        ("The signal mask that the process was started with is kept. Every later thread starts with it, and a program that is "
         "run from here should inherit it, not ours.",
         "m0", "m0.sigmask, initSigmask",
         "New threads would start with all signals open, even those that the parent had blocked on purpose."),
        ("保存进程启动时的信号掩码。以后的线程都从它开始；从这里启动的程序也应继承它，而不是我们的。",
         "m0", "m0.sigmask、initSigmask",
         "新线程启动时会放开所有信号，包括父进程有意屏蔽的。")),
    "runtime.goargs": Step(
        "runtime/runtime1.go, goargs",
        ("The program's arguments become a slice; that needs memory, which is why args could not do it.",
         "args, the heap", "os::Args()", "os::Args() would be empty."),
        ("把程序参数变成切片；这需要内存，所以 args 那时做不到。",
         "args、堆", "os::Args()", "os::Args() 会是空的。")),
    "runtime.goenvs": Step(
        "runtime/os_linux.go, goenvs",
        ("The same for the environment. Before the debug variables, which are read from it.",
         "args, the heap", "os::Getenv, GODEBUG, GOMAXPROCS, GOGC",
         "No variable would be found: GOMAXPROCS=1 would be ignored."),
        ("对环境变量做同样的事。在调试变量之前，因为它们由此读出。",
         "args、堆", "os::Getenv、GODEBUG、GOMAXPROCS、GOGC",
         "找不到任何变量：GOMAXPROCS=1 会被忽略。")),
    "runtime.checkfds": Step(
        "runtime/fds_unix.go, checkfds (Go 1.20 and later)",
        ("Standard input, output and error must be open, or the first file opened would become standard output.",
         "fcntl, /dev/null", "descriptors 0, 1 and 2 that exist",
         "A program started with them closed would print into the first file that it opens."),
        ("标准输入、输出和错误必须是打开的，否则第一个打开的文件会成为标准输出。",
         "fcntl、/dev/null", "确实存在的描述符 0、1、2",
         "如果启动时它们是关闭的，程序会把输出写进自己打开的第一个文件。")),
    "runtime.parsedebugvars": Step(
        "runtime/runtime1.go, parsedebugvars",
        ("GODEBUG is taken apart. Before the collector and the Ps, which behave by its values; and from here on boottrace can "
         "print, beginning with the steps that are over.",
         "goenvs", "schedtrace, gctrace, boottrace and the other switches",
         "GODEBUG would do nothing."),
        ("解析 GODEBUG。在回收器和 P 之前，因为它们按其中的值行事；从这里起 boottrace 可以打印，先打印已经过去的步骤。",
         "goenvs", "schedtrace、gctrace、boottrace 等开关",
         "GODEBUG 不起任何作用。")),
    "runtime.gcinit": Step(
        "runtime/mgc.go, gcinit",
        ("The collector reads GOGC and GOMEMLIMIT and sets its first goal. It does not run yet: gcenable, on the main goroutine, "
         "allows that.",
         "goenvs, the heap", "the heap size at which the first collection starts",
         "The goal would be 0, and every allocation would ask for a collection."),
        ("回收器读取 GOGC 和 GOMEMLIMIT，定下第一个目标。它还不运行：要等主协程上的 gcenable 允许。",
         "goenvs、堆", "触发第一次回收的堆大小",
         "目标会是 0，每次分配都会要求回收。")),
    "runtime.(*p).init": Step(
        "runtime/proc.go, (*p).init",
        ("One P: an id, the state _Pgcstop, and a cache for the allocator. p0 takes over the cache that mallocinit made.",
         "the heap", "a P that can be acquired",
         "An M on a P without a cache can't allocate a byte."),
        ("一个 P：编号、状态 _Pgcstop，以及分配器的缓存。p0 接管 mallocinit 造的缓存。",
         "堆", "可以被获取的 P",
         "M 所在的 P 没有缓存，就一个字节也分配不了。")),
    "runtime.wirep": Step(
        "runtime/proc.go, wirep (from acquirep)",
        ("M and P are tied together: m.p, p.m, status _Prunning. Having a P is the right to run goroutines.",
         "a P in _Pidle, an M without one", "m0 on p0",
         "schedule() would find m0 without a P and have no queue to look at."),
        ("把 M 和 P 绑在一起：m.p、p.m，状态 _Prunning。持有 P 才有权运行协程。",
         "处于 _Pidle 的 P，没有 P 的 M", "m0 在 p0 上",
         "schedule() 会发现 m0 没有 P，也就没有可看的队列。")),
    "runtime.procresize": Step(
        "runtime/proc.go, procresize",
        ("Ps are made, as many as ncpu or GOMAXPROCS says; the current M keeps p0, the others go on sched.pidle. The last step "
         "of schedinit, since a P needs nearly all that came before. It also serves GOMAXPROCS(n) later.",
         "the heap, the environment, sched.lock", "allp, gomaxprocs, the list of idle Ps",
         "No P, no run queue: newproc has nowhere to put the first goroutine."),
        ("造出 P，数目由 ncpu 或 GOMAXPROCS 决定；当前的 M 留着 p0，其余放到 sched.pidle。它是 schedinit 的最后一步，因为 P 几乎需要前面的"
         "一切。以后 GOMAXPROCS(n) 也用它。",
         "堆、环境变量、sched.lock", "allp、gomaxprocs、空闲 P 的链表",
         "没有 P 就没有运行队列：newproc 无处安放第一个协程。")),
    "runtime.newproc": Step(
        "runtime/proc.go, newproc",
        ("A go statement. The first one is the start's own: it makes the goroutine for runtime.main, whose address lies in "
         "mainPC. The work is done on g0, by newproc1.",
         "a P with a queue", "one more runnable goroutine",
         "mstart finds no goroutine anywhere. checkdead sees that nothing can ever run: \"no goroutines (main called "
         "runtime.Goexit) - deadlock!\"."),
        ("一条 go 语句。第一条属于启动过程自己：为 runtime.main 造协程，它的地址在 mainPC 里。实际工作由 newproc1 在 g0 上完成。",
         "带队列的 P", "多一个可运行的协程",
         "mstart 到处找不到协程。checkdead 看出再没有东西能运行：\"no goroutines (main called runtime.Goexit) - deadlock!\"。")),
    "runtime.allgadd": Step(
        "runtime/proc.go, allgadd",
        ("Every g ever made is on allgs, dead or alive: tracebacks, the collector and the debugger read this list.",
         "persistentalloc, allglock", "the goroutine can be found",
         "The collector would not see the goroutine's stack and free what only it points to."),
        ("造过的每个 g 都在 allgs 上，无论死活：回溯、回收器和调试器都读这个列表。",
         "persistentalloc、allglock", "能找到这个协程",
         "回收器看不到它的栈，会释放只有它指向的东西。")),
    "runtime.newproc1": Step(
        "runtime/proc.go, newproc1",
        ("A dead g is taken from the P's list or a new one is made; its saved state is laid out as if goexit had called the "
         "function, so that a return leads there. Then it has an id and is about to be queued.",
         "gfget or malg, the P's batch of ids", "a goroutine with goid, startpc and gopc; _Gdead until it is queued",
         "Without goexit under it, the function's return would jump to address 0."),
        ("从 P 的链表取一个死掉的 g，或新造一个；把它保存的状态布置成好像是 goexit 调用了该函数，这样返回就到那里。然后它有了编号，即将入队。",
         "gfget 或 malg，P 手里的一批编号", "有 goid、startpc、gopc 的协程；入队前为 _Gdead",
         "下面没有 goexit 的话，函数返回时会跳到地址 0。")),
    "runtime.mstart0": Step(
        "runtime/proc.go, mstart0",
        ("Every thread enters here on its g0. The guards are set: g0's stack is checked from now on. On a thread whose bounds "
         "are unknown they are taken from the stack pointer.",
         "g0, TLS", "g0.stackguard0 and stackguard1",
         "An overflow of g0's stack would overwrite whatever lies below, in silence."),
        ("每个线程都在自己的 g0 上从这里进入。设置 guard：从现在起检查 g0 的栈。边界未知的线程则从栈指针推算。",
         "g0、TLS", "g0.stackguard0 和 stackguard1",
         "g0 的栈溢出时，会悄悄覆盖下面的任何东西。")),
    "runtime.mstart1": Step(
        "runtime/proc.go, mstart1",
        ("Where g0 stands is saved into g0.sched: every later switch to g0 (mcall, systemstack) starts from this stack "
         "pointer, over and over. It must be on g0, else it throws.",
         "to run on g0", "g0.sched.pc and g0.sched.sp",
         "mcall would load a stack pointer of 0 and fault on its first push."),
        ("把 g0 的位置保存到 g0.sched：以后每次切换到 g0（mcall、systemstack）都从这个栈指针开始，一遍又一遍。它必须在 g0 上运行，否则抛出错误。",
         "运行在 g0 上", "g0.sched.pc 和 g0.sched.sp",
         "mcall 会装入值为 0 的栈指针，第一次压栈就出错。")),
    "runtime.minit": Step(
        "runtime/os_linux.go, minit",
        ("What has to be done on the thread itself: the kernel is told of the signal stack, the mask is set, the thread's id is "
         "kept.",
         "gsignal from mpreinit", "sigaltstack, procid",
         "Signals would be delivered on the goroutine's stack; and nobody could send one to this thread."),
        ("必须在线程自己身上做的事：把信号栈告诉内核，设置掩码，记下线程编号。",
         "mpreinit 造的 gsignal", "sigaltstack、procid",
         "信号会送到协程的栈上；而且没有人能向这个线程发信号。")),
    "runtime.initsig": Step(
        "runtime/signal_unix.go, initsig (from mstartm0)",
        ("Handlers are installed for all signals that the table names, on m0 alone since they belong to the process. After "
         "minit, so that there is a stack for them.",
         "a signal stack", "a fault becomes a panic, SIGQUIT a traceback, SIGURG a preemption",
         "A nil dereference would kill the process instead of becoming a panic."),
        ("为表中列出的所有信号安装处理函数；它们属于整个进程，所以只在 m0 上做。在 minit 之后，这样才有栈可用。",
         "信号栈", "硬件错误变成 panic，SIGQUIT 变成回溯，SIGURG 变成抢占",
         "空指针解引用会杀死进程，而不会变成 panic。")),
    "runtime.schedule": Step(
        "runtime/proc.go, schedule",
        ("The scheduler's loop, for the first time: find a runnable goroutine and run it. It never returns; each goroutine "
         "that stops comes back to a new call of it.",
         "an M with a P, on g0", "something to execute",
         "The thread would fall out of mstart, and rt0_go aborts."),
        ("调度循环第一次运行：找一个可运行的协程并运行它。它从不返回；每个停下来的协程都会回到对它的一次新调用。",
         "持有 P 的 M，在 g0 上", "可以执行的东西",
         "线程会从 mstart 掉出来，rt0_go 于是中止。")),
    "runtime.execute": Step(
        "runtime/proc.go, execute",
        ("The goroutine found becomes the M's: m.curg, g.m, _Grunning. Its stack guard is set to its own stack, and the tick "
         "counts, by which sysmon sees that the P moves on.",
         "a runnable goroutine", "the links between M and goroutine",
         "The goroutine would run with another one's stack guard: its first prologue would see an overflow."),
        ("找到的协程归这个 M：m.curg、g.m、_Grunning。栈 guard 设为它自己的栈，计数加一，sysmon 由此看出 P 在前进。",
         "可运行的协程", "M 与协程之间的联系",
         "协程会带着别人的栈 guard 运行：第一个函数序言就会认为溢出。")),
    "runtime.gogo": Step(
        "runtime/asm_amd64.s, runtime·gogo",
        ("The jump. SP, BP and the argument come from the goroutine's gobuf, g and the guard go into TLS, and the saved pc is "
         "jumped to. From the OS stack to the goroutine's own.",
         "the gobuf that newproc1 laid out", "the processor is in the goroutine",
         "g0 would go on by itself, with everybody believing that the goroutine runs."),
        ("跳转。SP、BP 和参数来自协程的 gobuf，g 和 guard 写入 TLS，然后跳到保存的 pc。从操作系统的栈跳到协程自己的栈。",
         "newproc1 布置的 gobuf", "处理器已在协程之中",
         "g0 会自顾自地继续，而所有人都以为协程在运行。")),
    "runtime.main": Step(
        "runtime/proc.go, main",
        ("The first goroutine, on a stack of its own. It starts sysmon, runs static constructors on the main thread, starts the "
         "collector's helpers, and then calls the user's main.",
         "the scheduler", "main.main is called",
         "The program would be a scheduler that schedules nothing."),
        ("第一个协程，在它自己的栈上。它启动 sysmon，在主线程上运行静态构造函数，启动回收器的帮手，然后调用用户的 main。",
         "调度器", "main.main 被调用",
         "程序会是一个无事可调度的调度器。")),
    "runtime.allocm": Step(
        "runtime/proc.go, allocm",
        ("An M is made, but no thread yet: the struct, its g0 with a stack of its own, its id.",
         "the heap, malg", "an M for newosproc",
         "clone would have no stack and no FS base to give to the thread."),
        ("造出一个 M，但还没有线程：结构体、带栈的 g0、编号。",
         "堆、malg", "交给 newosproc 的 M",
         "clone 没有栈也没有 FS 基址可以给线程。")),
    "runtime.newosproc": Step(
        "runtime/os_linux.go, newosproc",
        ("clone: the kernel makes a thread that shares everything and starts on the M's g0, with FS set to the M's tls. Signals "
         "are blocked meanwhile, since the new thread has no signal stack yet.",
         "an M with g0", "one more thread, on its way to mstart",
         "There would be one thread only: sysmon could not run beside the goroutines."),
        ("clone：内核造出共享一切的线程，从 M 的 g0 开始，FS 设为 M 的 tls。其间屏蔽信号，因为新线程还没有信号栈。",
         "带 g0 的 M", "多一个线程，正走向 mstart",
         "只会有一个线程：sysmon 无法与协程并行。")),
    "runtime.sysmon": Step(
        "runtime/proc.go, sysmon",
        ("The watcher, on a thread without a P: it retakes Ps from Ms stuck in system calls, preempts goroutines that run for "
         "more than 10 ms, polls the network, and asks for a collection after two minutes.",
         "a thread", "progress, even if all goroutines misbehave",
         "A goroutine in an endless loop would keep its P for ever, and a read that blocks would take its P to sleep."),
        ("监视者，运行在没有 P 的线程上：从卡在系统调用里的 M 那里收回 P，抢占运行超过 10 毫秒的协程，轮询网络，两分钟后要求一次回收。",
         "一个线程", "即使所有协程都行为不端，也能继续前进",
         "死循环的协程会永远占着 P，阻塞的 read 会带着 P 一起睡。")),
    "runtime.init.0": Step(
        "runtime/proc.go, init (forcegchelper)",
        ("The runtime's own initialisation, on the main goroutine before the user's constructors: it starts the goroutine that "
         "forces a collection when the last one is more than two minutes ago.",
         "the scheduler", "forcegchelper, waiting to be told by sysmon",
         "A program that allocates little would never be collected again, and would keep what it has dropped."),
        ("运行时自己的初始化，在主协程上、用户的构造函数之前：启动一个协程，在距上次回收超过两分钟时强制回收。",
         "调度器", "forcegchelper，等待 sysmon 通知",
         "分配很少的程序再也不会被回收，一直占着已经丢弃的内存。")),
    "runtime.gcenable": Step(
        "runtime/mgc.go, gcenable",
        ("Two goroutines are started, bgsweep and bgscavenge; main waits on a channel until both run. Then collections are "
         "allowed. So even hello has more than one goroutine.",
         "the scheduler, channels", "a collector that may run",
         "The heap would only grow."),
        ("启动两个协程 bgsweep 和 bgscavenge；main 在一个通道上等到两者都运行起来。此后允许回收。所以连 hello 也不止一个协程。",
         "调度器、通道", "可以运行的回收器",
         "堆只会增长。")),
}


def explain(symbol, language="en"):
    """{"why": …, "needs": …, "gives": …, "breaks": …, "go": …} of a step; None for one that nobody has described."""
    step = STEPS.get(symbol)
    if step is None:
        return None
    texts = dict(zip(FIELDS, step.zh if language == "zh" else step.en))
    texts["go"] = step.go
    return texts
