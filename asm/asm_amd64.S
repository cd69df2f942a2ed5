// The part of the start that all amd64 systems share (rt0_go), and the switches between stacks.
//
// Owns: the first thread's way from the OS stack to schedinit and mstart; gogo, mcall, systemstack, morestack, goexit.
//
// Invariants
//   - Every routine that a backtrace may end in has rbp = 0 or an undefined return address in its CFI.
//   - g is at -8(FS), the guard that prologues of user code compare with is at 0x70(FS); whoever changes the one
//     changes the other in the same routine, before any C++ runs.
//   - Field offsets come from go_asm.h, which the build makes from the C++ structs. No number is typed here.
//
// Way not taken: swapping contexts by pushing the callee-saved registers. gogo jumps to a saved pc instead of
// returning, because a `ret` that does not match its call costs a misprediction; and the C++ wrappers of mcall declare
// all registers clobbered, so the compiler has saved what was live.

#include "go_asm.h"
#define BOOTSTEP_FILE "asm/asm_amd64.S"
#include "asm/bootstep.h"
#include "asm/vector_amd64.h"

	.macro FUNC name
	.globl "\name"
	.type "\name", @function
	.p2align 4
"\name":
	.cfi_startproc
	.endm
	.macro ENDFUNC name
	.cfi_endproc
	.size "\name", . - "\name"
	.endm

	.macro FIBER to, dies=0
#ifdef BOOT_HOSTED
	cmpb	$0, runtime.sanitizing(%rip)
	je	.Lnofiber\@
	movl	$\dies, %r10d
	movq	\to, %r11
	call	runtime.fiber
.Lnofiber\@:
#endif
	.endm

// A goroutine's own rounding, exception masks and the like (MXCSR, x87 control word) stay its own. Nearly all have the
// default, so a switch looks whether the processor has that: SAVEFP, on the goroutine's stack, puts what is different
// into its gobuf (in lr, which this processor has no other use for) and makes it the default, for the scheduler and who
// comes next; RESTOREFP finds lr set. The sticky flags of operations past are not what a switch is about: they stay with
// the thread, and who unmasks an exception must clear them first.
#define FPCONTROL	0xffc0	// of MXCSR: all but the flags
#define MXCSRDEFAULT	0x1f80
#define FPCWDEFAULT	0x37f
	.macro SAVEFP g
	stmxcsr	-8(%rsp)
	fnstcw	-4(%rsp)
	movl	-8(%rsp), %r8d
	andl	$FPCONTROL, %r8d
	cmpl	$MXCSRDEFAULT, %r8d
	jne	.Lsavefp\@
	movzwl	-4(%rsp), %r8d
	cmpl	$FPCWDEFAULT, %r8d
	jne	.Lsavefp\@
.Lsavedfp\@:
	.pushsection .text.unlikely.fp, "ax", @progbits
.Lsavefp\@:
	.ifnb \g
	movl	-8(%rsp), %r8d
	movzwl	-4(%rsp), %r9d
	orl	$0x10000, %r9d		// not 0, whatever the words are
	movl	%r8d, g_sched_lr(\g)
	movl	%r9d, g_sched_lr+4(\g)
	.endif
	fnclex				// else what is pending traps at fldcw
	ldmxcsr	runtime.fpdefault(%rip)
	fldcw	runtime.fpdefault+4(%rip)
	jmp	.Lsavedfp\@
	.popsection
	.endm

	.macro RESTOREFP buf
	cmpl	$0, gobuf_lr+4(\buf)
	jne	.Lrestorefp\@
.Lrestoredfp\@:
	.pushsection .text.unlikely.fp, "ax", @progbits
.Lrestorefp\@:
	fnclex				// a flag that another has left would trap here, were its exception unmasked
	fldcw	gobuf_lr+4(\buf)
	ldmxcsr	gobuf_lr(\buf)
	movq	$0, gobuf_lr(\buf)
	jmp	.Lrestoredfp\@
	.popsection
	.endm

	.section .rodata
	.p2align 3
"runtime.fpdefault":
	.long	MXCSRDEFAULT
	.long	FPCWDEFAULT

	.text

// rt0_go: argc in DI, argv in SI, the OS stack in SP.
//
// The stack on the way (addresses falling):
//      argc, argv ... from the kernel
//      SP at entry
//      32(SP) argv    24(SP) argc    two words to spare     ← SP, 16-byte aligned, g0.stack.hi
//      ... 64 KB - 104 bytes of g0 ...                      ← g0.stack.lo
FUNC runtime.rt0_go
	.cfi_undefined rip
	movq	%rdi, %r12
	movq	%rsi, %rbx
	// Where the limit of the OS stack may leave less than g0 wants beside the arguments, 128 KB at most there, g0 gets a
	// mapping instead. Nothing is pushed until that is settled. With libc in the program it has run on this stack already.
	cmpq	$0, _cgo_init@GOTPCREL(%rip)
	jne	.Lstackok
	movl	$97, %eax			// getrlimit
	movl	$3, %edi			// RLIMIT_STACK
	leaq	runtime.g0+g_stack_lo(%rip), %rsi	// room for an answer of two words
	syscall
	testq	%rax, %rax
	jnz	.Lstackok
	cmpq	$(256*1024), runtime.g0+g_stack_lo(%rip)
	jae	.Lstackok
	movl	$9, %eax			// mmap
	xorl	%edi, %edi
	movl	$(64*1024), %esi
	movl	$3, %edx			// PROT_READ | PROT_WRITE
	movl	$0x22, %r10d			// MAP_PRIVATE | MAP_ANONYMOUS
	movq	$-1, %r8
	xorl	%r9d, %r9d
	syscall
	cmpq	$-4096, %rax
	ja	.Lstackok			// refused: what there is must do
	leaq	(64*1024)(%rax), %rsp
.Lstackok:
	subq	$(5*8), %rsp
	andq	$~15, %rsp		// SSE operands on the stack need it
	movq	%r12, 24(%rsp)
	movq	%rbx, 32(%rsp)
	movq	%r12, %rdi
	xorl	%ebp, %ebp		// the root of every backtrace on this thread
	movq	%rsp, %r9
	BOOTSTEP "runtime.rt0_go", "argc,#argv,#sp", %rdi, %rbx, %r9

	// g0 gets the OS stack. 64 KB is a promise to ourselves, not a reservation: the kernel maps the pages as they are
	// touched. The 104 bytes are Go's, kept so that the numbers agree.
	leaq	runtime.g0(%rip), %r10
	leaq	(-64*1024+104)(%rsp), %rbx
	movq	%rbx, g_stackguard0(%r10)
	movq	%rbx, g_stackguard1(%r10)
	movq	%rbx, g_stack_lo(%r10)
	movq	%rsp, g_stack_hi(%r10)
	BOOTSTEP "g0.stack", "#lo,#hi,#g0", %rbx, %r9, %r10

	// Which processor is this? Leaf 0 names the maker and the highest leaf; 0 means there is nothing more to ask.
	// Both answers are kept for cpuinit: under a hypervisor each CPUID costs microseconds.
	xorl	%eax, %eax
	cpuid
	movl	%eax, runtime.cpuidMaxLeaf(%rip)
	cmpl	$0, %eax
	je	.Lnocpuinfo
	// RDTSC may pass earlier instructions: LFENCE orders it on Intel, MFENCE elsewhere.
	cmpl	$0x756e6547, %ebx	// "Genu"
	jne	.Lnotintel
	cmpl	$0x49656e69, %edx	// "ineI"
	jne	.Lnotintel
	cmpl	$0x6c65746e, %ecx	// "ntel"
	jne	.Lnotintel
	movb	$1, runtime.isIntel(%rip)
	movb	$1, runtime.lfenceBeforeRdtsc(%rip)
.Lnotintel:
	movl	$1, %eax
	cpuid
	movl	%eax, runtime.processorVersionInfo(%rip)
	movl	%ecx, runtime.cpuidFeatures(%rip)
.Lnocpuinfo:
	movl	runtime.processorVersionInfo(%rip), %r11d
	movzbl	runtime.isIntel(%rip), %r10d
	BOOTSTEP "cpuid", "isIntel,#processorVersionInfo", %r10, %r11

	// With libc in the program (hosted mode) _cgo_init is linked in: libc owns the thread pointer and knows the
	// stack's real bounds. It is called with &g0 and the function that stores g.
	movq	_cgo_init@GOTPCREL(%rip), %rax
	testq	%rax, %rax
	jz	.Lneedtls
	leaq	runtime.g0(%rip), %rdi
	leaq	runtime.setg_gcc(%rip), %rsi
	call	*(%rax)
	// Bounds have changed: the guards follow.
	leaq	runtime.g0(%rip), %rcx
	movq	g_stack_lo(%rcx), %rax
	addq	$const__StackGuard, %rax
	movq	%rax, g_stackguard0(%rcx)
	movq	%rax, g_stackguard1(%rcx)
	movq	%rax, %r9
	BOOTSTEP "_cgo_init", "#stackguard0", %r9
	jmp	.Lok

.Lneedtls:
	leaq	(runtime.m0+m_tls+8)(%rip), %rdi
	movq	%rdi, runtime.m0+m_tlsbase(%rip)
	movq	%rdi, (%rdi)			// the ABI's self pointer at 0(FS)
	movq	%rdi, %r9
	call	runtime.settls
	BOOTSTEP "runtime.settls", "#fs", %r9

	// Try it before anything depends on it: what goes in through FS must come out of m0.
	movq	$0x123, %fs:-8
	movq	runtime.m0+m_tls(%rip), %rax
	cmpq	$0x123, %rax
	je	.Lok
	call	runtime.abort
.Lok:
	// Thread, g0 and m0 find each other.
	leaq	runtime.g0(%rip), %rcx
	movq	%rcx, %fs:-8
	movq	g_stackguard0(%rcx), %rax
	movq	%rax, %fs:0x70
	leaq	runtime.m0(%rip), %rax
	movq	%rcx, m_g0(%rax)
	movq	%rax, g_m(%rcx)
	movq	%rax, %r9
	movq	%rcx, %r10
	BOOTSTEP "m0-g0", "#m0,#g0", %r9, %r10

	cld				// C++ expects string instructions to count up
	call	runtime.check
	movl	24(%rsp), %edi
	movq	32(%rsp), %rsi
	call	runtime.args
	call	runtime.osinit
	call	runtime.schedinit
	leaq	runtime.mainPC(%rip), %rdi	// the first goroutine runs runtime.main
	call	runtime.newproc
	call	runtime.mstart
	call	runtime.abort		// mstart does not return
	// Nothing calls debugCallV2; debuggers do. This keeps it in the binary.
	leaq	runtime.debugCallV2(%rip), %rax
	ret
ENDFUNC runtime.rt0_go

// The variable that newproc gets: 8 read-only bytes with the address of runtime.main.
#ifdef BOOT_PIE
	.section .data.rel.ro.mainPC, "aw", @progbits
#else
	.section .rodata
#endif
	.globl "runtime.mainPC"
	.type "runtime.mainPC", @object
	.p2align 3
"runtime.mainPC":
	.quad	runtime.main
	.size "runtime.mainPC", 8
	.text
	.weak _cgo_init

// setg_gcc(g in DI): how hosted mode's C code stores g.
FUNC runtime.setg_gcc
	movq	%rdi, %fs:-8
	ret
ENDFUNC runtime.setg_gcc

// asminit: floating-point state as the ABI promises it to a new thread. clone copies the creator's, which may have been
// in the middle of code with other rounding or unmasked exceptions.
FUNC runtime.asminit
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	movl	$MXCSRDEFAULT, (%rsp)
	ldmxcsr	(%rsp)
	fninit
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
ENDFUNC runtime.asminit

// mstart: where every M begins, on its g0. mstart0 goes into the scheduler; gogo(&g0.sched) comes back to mstart.exit
// when the thread shall end (a locked goroutine has finished).
FUNC runtime.mstart
	.cfi_undefined rip
	xorl	%ebp, %ebp
	andq	$~15, %rsp
	call	runtime.mstart0
	.globl "runtime.mstart.exit"
"runtime.mstart.exit":
	call	runtime.mstartexit
	call	runtime.abort
ENDFUNC runtime.mstart

// gogo(gobuf in DI): go on with a goroutine. Its registers are dead but for what the gobuf holds; the gobuf is cleared,
// so that a stale one shows and the collector sees no dead pointers.
FUNC runtime.gogo
	.cfi_undefined rip
	movq	gobuf_g(%rdi), %rdx
	FIBER	%rdx
	RESTOREFP %rdi
	movq	g_stackguard0(%rdx), %rcx	// also: a nil g faults here, with the gobuf still in DI
	movq	%rdx, %fs:-8
	movq	%rcx, %fs:0x70
.Lgogo:
	movq	gobuf_sp(%rdi), %rsp
	movq	gobuf_ret(%rdi), %rax
	movq	gobuf_ctxt(%rdi), %rdx
	movq	gobuf_bp(%rdi), %rbp
	movq	gobuf_pc(%rdi), %rcx
	xorl	%esi, %esi
	movq	%rsi, gobuf_sp(%rdi)
	movq	%rsi, gobuf_ret(%rdi)
	movq	%rsi, gobuf_ctxt(%rdi)
	movq	%rsi, gobuf_bp(%rdi)
	movq	%rdx, %rdi		// a first run finds its closure where C++ looks for the first argument
	jmp	*%rcx
ENDFUNC runtime.gogo

// gosavegogo(g in DI, gobuf in SI): save where the goroutine is, as mcall does, and go on with another.
FUNC runtime.gosavegogo
	movq	(%rsp), %rcx
	leaq	8(%rsp), %rdx
	movq	%rcx, g_sched_pc(%rdi)
	movq	%rdx, g_sched_sp(%rdi)
	movq	%rbp, g_sched_bp(%rdi)
	.cfi_undefined rip
	SAVEFP	%rdi
	movq	gobuf_g(%rsi), %rdx
	FIBER	%rdx
	RESTOREFP %rsi
	movq	g_stackguard0(%rdx), %rcx
	movq	%rdx, %fs:-8
	movq	%rcx, %fs:0x70
	movq	$0, g_m(%rdi)		// not before: a handler goes from g to its m
	movq	gobuf_sp(%rsi), %rsp
	movq	gobuf_ret(%rsi), %rax
	movq	gobuf_ctxt(%rsi), %rdi
	movq	gobuf_bp(%rsi), %rbp
	movq	gobuf_pc(%rsi), %rcx
	xorl	%edx, %edx
	movq	%rdx, gobuf_sp(%rsi)
	movq	%rdx, gobuf_ret(%rsi)
	movq	%rdx, gobuf_ctxt(%rsi)
	movq	%rdx, gobuf_bp(%rsi)
	movq	%rdi, %rdx
	// A return, where gogo jumps: this was called, and most switches of this kind come back to a place like the one
	// they left, which is what the processor predicts.
	pushq	%rcx
	ret
ENDFUNC runtime.gosavegogo

// gogoexit(g in DI, gobuf in SI): leave a dead goroutine for good and go on with another.
FUNC runtime.gogoexit
	.cfi_undefined rip
	SAVEFP
	movq	gobuf_g(%rsi), %rdx
	FIBER	%rdx, 1
	RESTOREFP %rsi
	movq	g_stackguard0(%rdx), %rcx
	movq	%rdx, %fs:-8
	movq	%rcx, %fs:0x70
	movq	$0, g_m(%rdi)		// not before: a handler goes from g to its m
	movq	%rsi, %rdi
	jmp	.Lgogo
ENDFUNC runtime.gogoexit

// mcall(fn in DI): save where the goroutine is, switch to g0, call fn(g). fn never returns here.
FUNC runtime.mcall
	movq	%fs:-8, %rax
	movq	(%rsp), %rcx
	leaq	8(%rsp), %rdx
	movq	%rcx, g_sched_pc(%rax)
	movq	%rdx, g_sched_sp(%rax)
	movq	%rbp, g_sched_bp(%rax)
	movq	g_m(%rax), %rbx
	movq	m_g0(%rbx), %rdx
	cmpq	%rax, %rdx
	je	.Lbadmcall
	SAVEFP	%rax
#ifdef BOOT_HOSTED
	leaq	runtime.goexit0(%rip), %rcx
	cmpq	%rcx, %rdi
	jne	.Lmcalllives
	FIBER	%rdx, 1
	jmp	.Lmcallfiber
.Lmcalllives:
	FIBER	%rdx
.Lmcallfiber:
#endif
	movq	g_stackguard0(%rdx), %rcx
	movq	%rdx, %fs:-8
	movq	%rcx, %fs:0x70
	movq	%rdi, %rcx
	movq	%rax, %rdi
	xorl	%ebp, %ebp
	.cfi_undefined rip		// from here on this is the root of g0's stack
	movq	g_sched_sp(%rdx), %rsp
	// A jump with the return address in place, not a call: nobody returns, and the return stack stays in step.
	leaq	.Lmcallret(%rip), %rax
	pushq	%rax
	jmp	*%rcx
	nop
.Lmcallret:
	call	runtime.badmcall2
.Lbadmcall:
	call	runtime.badmcall
	call	runtime.abort
ENDFUNC runtime.mcall

// systemstack(fn in DI, arg in SI): call fn(arg) on g0 and come back. On g0 or gsignal already it is a plain call.
// The goroutine's sched says where it left, for tracebacks taken meanwhile.
FUNC runtime.systemstack
	movq	%fs:-8, %rax
	movq	g_m(%rax), %r8
	movq	m_g0(%r8), %rdx
	cmpq	%rax, %rdx
	je	.Lnoswitch
	cmpq	m_gsignal(%r8), %rax
	je	.Lnoswitch
	cmpq	m_curg(%r8), %rax
	jne	.Lbadsystemstack
	movq	(%rsp), %rcx
	leaq	8(%rsp), %r9
	movq	%rcx, g_sched_pc(%rax)
	movq	%r9, g_sched_sp(%rax)
	movq	%rbp, g_sched_bp(%rax)
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	movq	%rsp, %rbp
	FIBER	%rdx
	movq	g_stackguard0(%rdx), %rcx
	movq	%rdx, %fs:-8
	movq	%rcx, %fs:0x70
	movq	%rdi, %rcx
	movq	%rsi, %rdi
	.cfi_remember_state
	.cfi_undefined rip		// g0's stack ends here; debuggers go on from g.sched
	movq	g_sched_sp(%rdx), %rsp
	call	*%rcx
	.cfi_restore_state
	.cfi_def_cfa rbp, 16
	movq	%fs:-8, %rdx
	movq	g_m(%rdx), %rdx
	movq	m_curg(%rdx), %rdx
	FIBER	%rdx
	movq	g_stackguard0(%rdx), %rcx
	movq	%rdx, %fs:-8
	movq	%rcx, %fs:0x70
	movq	$0, g_sched_sp(%rdx)
	movq	%rbp, %rsp
	popq	%rbp
	.cfi_def_cfa rsp, 8
	.cfi_restore rbp
	ret
.Lnoswitch:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	jmp	*%rax
.Lbadsystemstack:
	call	runtime.badsystemstack
	call	runtime.abort
ENDFUNC runtime.systemstack

// morestack: __morestack (morestack_amd64.S) has saved the arguments of the function whose prologue failed and calls
// this; newstack decides on g0 and goes back by gogo(&g.sched), to the instruction after the call.
FUNC runtime.morestack
	movq	%fs:-8, %rax
	movq	g_m(%rax), %rbx
	movq	m_g0(%rbx), %rdx
	cmpq	%rax, %rdx
	je	.Lbadmorestackg0
	cmpq	m_gsignal(%rbx), %rax
	je	.Lbadmorestackgsignal
	movq	(%rsp), %rcx
	leaq	8(%rsp), %rsi
	movq	%rcx, g_sched_pc(%rax)
	movq	%rsi, g_sched_sp(%rax)
	movq	%rbp, g_sched_bp(%rax)
	SAVEFP	%rax
	FIBER	%rdx
	movq	g_stackguard0(%rdx), %rcx
	movq	%rdx, %fs:-8
	movq	%rcx, %fs:0x70
	xorl	%ebp, %ebp
	.cfi_undefined rip
	movq	g_sched_sp(%rdx), %rsp
	call	runtime.newstack
	call	runtime.abort
.Lbadmorestackg0:
	call	runtime.badmorestackg0
	call	runtime.abort
.Lbadmorestackgsignal:
	call	runtime.badmorestackgsignal
	call	runtime.abort
ENDFUNC runtime.morestack

// goexit: what a goroutine's function returns to, at goexit+1 (PCQuantum): tracebacks look up pc-1, which must be in here.
// Its personality routine sees every exception that no frame above catches, and sends it to the landing pad; see
// boot/panic.cpp.
FUNC runtime.goexit
	.cfi_personality 0x1b, runtime.gopersonality
	.cfi_undefined rip
	nop
	call	runtime.goexit1
	ud2				// goexit1 does not return
	.globl "runtime.goexit.unhandled"
"runtime.goexit.unhandled":		// the exception in AX
	andq	$-16, %rsp
	movq	%rax, %rdi
	call	runtime.unhandledpanic
	ud2
ENDFUNC runtime.goexit

#ifdef BOOT_HOSTED
// fiber(dies in R10, g in R11): tells a sanitizer that the next instructions run on the stack of g. Keeps all registers
// but these two: it stands in the middle of switches and hops, where arguments and results are alive.
FUNC runtime.fiber
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	subq	$(8*16), %rsp
	andq	$~15, %rsp
	SAVEVEC
	movq	%r10, %rdi
	movq	%r11, %rsi
	call	runtime.fiberswitch
	RESTOREVEC
	leaq	-(7*8)(%rbp), %rsp
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	popq	%rbp
	.cfi_def_cfa rsp, 8
	.cfi_restore rbp
	ret
ENDFUNC runtime.fiber
#endif

// No program is without the debug information that calls the runtime's variables by Go's names.
	.text
	.reloc	0, R_X86_64_NONE, runtime.debugnames

	.section .note.GNU-stack, "", @progbits
